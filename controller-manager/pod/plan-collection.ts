import type { Pod } from '../../shared/api/generated/types.js';
import { isPodTerminal } from '../../shared/api/pod.js';

export interface PodCollectionInput {
  readonly pods: readonly Pod[];
  /** Whether the node exists, or went so recently that it may come back. */
  readonly hasNode: (name: string) => boolean;
  readonly terminatedThreshold: number;
}

/** One pod to remove, and why. */
export interface CollectedPod {
  readonly pod: Pod;
  readonly reason: 'terminated' | 'orphaned' | 'unscheduled-terminating';
}

/** Pods that nobody else will remove: finished ones beyond the threshold (oldest first), those of nodes that are gone, and those deleted before they got a node. */
export function planPodCollection(input: PodCollectionInput): CollectedPod[] {
  const { pods, hasNode, terminatedThreshold } = input;
  const collected = new Map<Pod, CollectedPod['reason']>();
  for (const pod of pods) {
    const nodeName = pod.spec?.nodeName;
    if (!nodeName && pod.metadata.deletionTimestamp) collected.set(pod, 'unscheduled-terminating');
    else if (nodeName && !hasNode(nodeName)) collected.set(pod, 'orphaned');
  }
  const terminated = pods.filter((pod) => isPodTerminal(pod) && !pod.metadata.deletionTimestamp && !collected.has(pod));
  const excess = terminatedThreshold > 0 ? Math.max(0, terminated.length - terminatedThreshold) : 0;
  const oldest = terminated.toSorted(byCreation).slice(0, excess);
  for (const pod of oldest) collected.set(pod, 'terminated');
  return [...collected].map(([pod, reason]) => ({ pod, reason }));
}

function byCreation(a: Pod, b: Pod): number {
  const [x, y] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  return x !== y ? (x < y ? -1 : 1) : a.metadata.name < b.metadata.name ? -1 : 1;
}

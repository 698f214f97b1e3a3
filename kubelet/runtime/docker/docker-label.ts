import type { PodIdentity } from '../container-runtime.js';

/** Labels of our containers: all that a restarted kubelet needs to find them again. */
export const label = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
  cluster: 'knarr.dev/cluster',
  node: 'knarr.dev/node',
  attempt: 'knarr.dev/attempt',
  sandbox: 'knarr.dev/sandbox',
  image: 'knarr.dev/image',
} as const;

/** The container name that marks a sandbox; no pod can use it, it has capitals. */
export const SANDBOX_CONTAINER = 'POD';

const ANNOTATION_PREFIX = 'annotation.';

export type Labels = Readonly<Record<string, string>>;

/** The node that a runtime works for; it sees nothing else on its engine. */
export interface NodeIdentity {
  readonly cluster: string;
  readonly node: string;
}

export function podLabels(
  owner: NodeIdentity,
  pod: PodIdentity,
  container: { name: string; attempt: number; annotations: Labels },
): Record<string, string> {
  const annotations = Object.entries(container.annotations).map(([key, value]) => [ANNOTATION_PREFIX + key, value]);
  return {
    ...(Object.fromEntries(annotations) as Record<string, string>),
    [label.podName]: pod.name,
    [label.podNamespace]: pod.namespace,
    [label.podUid]: pod.uid,
    [label.container]: container.name,
    [label.cluster]: owner.cluster,
    [label.node]: owner.node,
    [label.attempt]: String(container.attempt),
  };
}

export function podOf(labels: Labels): PodIdentity {
  return {
    namespace: labels[label.podNamespace] ?? '',
    name: labels[label.podName] ?? '',
    uid: labels[label.podUid] ?? '',
  };
}

export function annotationsOf(labels: Labels): Record<string, string> {
  const own = Object.entries(labels).filter(([key]) => key.startsWith(ANNOTATION_PREFIX));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(ANNOTATION_PREFIX.length), value]));
}

export function isOwn(owner: NodeIdentity, labels: Labels): boolean {
  return labels[label.cluster] === owner.cluster && labels[label.node] === owner.node;
}

/** Filters for the engine's lists and events. */
export function labelFilters(owner: NodeIdentity, podUid?: string): string[] {
  const filters = [`${label.cluster}=${owner.cluster}`, `${label.node}=${owner.node}`];
  return podUid === undefined ? filters : [...filters, `${label.podUid}=${podUid}`];
}

/** k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT, as the original named containers on Docker. */
export function containerName(pod: PodIdentity, name: string, attempt: number): string {
  return ['k8s', name, pod.name, pod.namespace, pod.uid, attempt].join('_');
}

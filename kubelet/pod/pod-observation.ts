import type { ContainerStatus, SandboxStatus } from '../runtime/container-runtime.js';

/** A container as the runtime tells it, with the message that its process left behind. */
export interface ObservedContainer extends ContainerStatus {
  readonly terminationMessage?: string;
}

/** All that the runtime holds of one pod. */
export interface PodObservation {
  /** Newest first. */
  readonly sandboxes: readonly SandboxStatus[];
  /** Newest attempt first. */
  readonly containers: readonly ObservedContainer[];
}

export const nothingObserved: PodObservation = { sandboxes: [], containers: [] };

/** Sorts what the runtime listed, newest first, so that `find` meets the newest. */
export function observePod(
  sandboxes: readonly SandboxStatus[],
  containers: readonly ObservedContainer[],
): PodObservation {
  return {
    sandboxes: [...sandboxes].sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs),
    containers: [...containers].sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs),
  };
}

/** The newest container of this name. */
export function newestContainer(observed: PodObservation, name: string): ObservedContainer | undefined {
  return observed.containers.find((container) => container.name === name);
}

/** The sandbox that the pod's containers may join, if the newest one is alive. */
export function readySandbox(observed: PodObservation, hostNetwork: boolean): SandboxStatus | undefined {
  const newest = observed.sandboxes[0];
  if (newest?.state !== 'ready') return undefined;
  return hostNetwork || newest.ips.length > 0 ? newest : undefined;
}

/** It ran to its end, or the runtime could not start it: either way it will not run again. */
export function hasEnded(container: ObservedContainer): boolean {
  return container.state === 'exited' || (container.state === 'created' && container.error !== undefined);
}

/** Created and then left alone, by a kubelet that died in between. */
export function isLeftover(container: ObservedContainer): boolean {
  return container.state === 'created' && container.error === undefined;
}

/** Exit code of a container that has ended; one that never started counts as 128, as with the original. */
export function exitCodeOf(container: ObservedContainer): number {
  return container.exitCode !== undefined && container.state === 'exited' ? container.exitCode : 128;
}

export function isRunning(container: ObservedContainer): boolean {
  return container.state === 'running' || container.state === 'unknown';
}

export function anyRunning(observed: PodObservation): boolean {
  return observed.containers.some(isRunning);
}

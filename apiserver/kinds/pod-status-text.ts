import { isConditionTrue } from '../../shared/api/condition.js';
import { humanAge } from '../../shared/api/duration.js';
import type { ContainerState, ContainerStatus, Pod } from '../../shared/api/generated/types.js';
import { isPodTerminal, isSidecar } from '../../shared/api/pod.js';

/** One row of `kubectl get pods`. */
export interface PodRow {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

interface Tally {
  status: string;
  ready: number;
  restarts: number;
  /** When a container was last restarted, RFC 3339; empty where none was. */
  lastRestart: string;
}

/** READY, STATUS and RESTARTS of a pod: what its containers say, seen from the outermost one that is in trouble. */
export function podRow(pod: Pod, nowMs: number): PodRow {
  const sidecars = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const initial = tallyInit(pod, sidecars);
  const isInitializing = initial.isInitializing && !isConditionTrue(pod.status?.conditions, 'Initialized');
  const tally = isInitializing
    ? initial.all
    : tallyContainers(pod, { ...initial.sidecars, status: initial.all.status });
  const { restarts, lastRestart } = tally;
  return {
    ready: `${tally.ready}/${(pod.spec.containers ?? []).length + sidecars.size}`,
    status: deletionStatus(pod) ?? tally.status,
    restarts: restarts > 0 && lastRestart !== '' ? `${restarts} (${humanAge(lastRestart, nowMs)} ago)` : `${restarts}`,
  };
}

function deletionStatus(pod: Pod): string | undefined {
  if (pod.metadata.deletionTimestamp === undefined) return undefined;
  if (pod.status?.reason === 'NodeLost') return 'Unknown';
  return isPodTerminal(pod) ? undefined : 'Terminating';
}

function baseStatus(pod: Pod): string {
  const isGated = pod.status?.conditions?.some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  return isGated ? 'SchedulingGated' : pod.status?.reason || pod.status?.phase || '';
}

/** Goes through the init containers up to the first that has not done its part. */
function tallyInit(pod: Pod, sidecars: ReadonlySet<string>): { all: Tally; sidecars: Tally; isInitializing: boolean } {
  const all: Tally = { status: baseStatus(pod), ready: 0, restarts: 0, lastRestart: '' };
  const ofSidecars: Tally = { ...all };
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const isSidecarStatus = sidecars.has(container.name);
    countRestarts(all, container);
    if (isSidecarStatus) countRestarts(ofSidecars, container);
    if (container.state?.terminated?.exitCode === 0) continue;
    if (isSidecarStatus && container.started === true) {
      if (container.ready) {
        all.ready++;
        ofSidecars.ready++;
      }
      continue;
    }
    const waiting = container.state?.waiting?.reason;
    if (container.state?.terminated) all.status = `Init:${terminatedText(container.state)}`;
    else if (waiting && waiting !== 'PodInitializing') all.status = `Init:${waiting}`;
    else all.status = `Init:${index}/${(pod.spec.initContainers ?? []).length}`;
    return { all, sidecars: ofSidecars, isInitializing: true };
  }
  return { all, sidecars: ofSidecars, isInitializing: false };
}

/** Adds the containers, last to first, so that the first one in trouble gives the status. */
function tallyContainers(pod: Pod, tally: Tally): Tally {
  let hasRunning = false;
  for (const container of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    countRestarts(tally, container);
    const { state } = container;
    if (state?.waiting?.reason) tally.status = state.waiting.reason;
    else if (state?.terminated) tally.status = terminatedText(state);
    else if (container.ready && state?.running) {
      hasRunning = true;
      tally.ready++;
    }
  }
  // One container is done, another still runs.
  if (tally.status === 'Completed' && hasRunning)
    tally.status = isConditionTrue(pod.status?.conditions, 'Ready') ? 'Running' : 'NotReady';
  return tally;
}

function terminatedText({ terminated }: ContainerState): string {
  if (terminated?.reason) return terminated.reason;
  return terminated?.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated?.exitCode ?? 0}`;
}

function countRestarts(tally: Tally, container: ContainerStatus): void {
  tally.restarts += container.restartCount ?? 0;
  const finished = container.lastState?.terminated?.finishedAt ?? '';
  if (finished !== '' && (tally.lastRestart === '' || Date.parse(finished) > Date.parse(tally.lastRestart)))
    tally.lastRestart = finished;
}

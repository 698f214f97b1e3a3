import type { ContainerStatus, Pod } from '../../shared/api/generated/types.js';
import { isSidecar } from '../../shared/api/pod.js';
import { initContainersOf, restartPolicyOf } from '../pod/pod-spec.js';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/**
 * The phase that the containers' states add up to (KEP-753 for sidecars). A terminal phase waits until nothing runs, `others`
 * included, which count for nothing else.
 */
export function podPhase(
  pod: Pod,
  init: readonly ContainerStatus[],
  app: readonly ContainerStatus[],
  others: readonly ContainerStatus[] = [],
): PodPhase {
  const phase = phaseOf(pod, init, app);
  const running = [...init, ...app, ...others].some((status) => status.state?.running);
  return running && (phase === 'Succeeded' || phase === 'Failed') ? 'Running' : phase;
}

function phaseOf(pod: Pod, init: readonly ContainerStatus[], app: readonly ContainerStatus[]): PodPhase {
  const policy = restartPolicyOf(pod);
  const initialization = initState(pod, init);
  if (initialization === 'failed' && policy === 'Never') return 'Failed';
  const count = { waiting: 0, running: 0, stopped: 0, succeeded: 0, unknown: 0 };
  for (const container of pod.spec.containers) {
    const state = app.find((status) => status.name === container.name);
    if (state?.state?.running) count.running++;
    else if (state?.state?.terminated) {
      count.stopped++;
      if (state.state.terminated.exitCode === 0) count.succeeded++;
    } else if (state?.state?.waiting) {
      if (state.lastState?.terminated) count.stopped++;
      else count.waiting++;
    } else count.unknown++;
  }
  if (initialization !== 'done' && count.running === 0 && count.stopped === 0) return 'Pending';
  if (count.waiting > 0 || count.unknown > 0) return 'Pending';
  if (count.running > 0) return 'Running';
  if (policy === 'Always') return 'Running';
  if (count.stopped === count.succeeded) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

/** Whether the init containers are through: sidecars have started, the others have ended well. */
function initState(pod: Pod, statuses: readonly ContainerStatus[]): 'done' | 'pending' | 'failed' {
  let result: 'done' | 'pending' | 'failed' = 'done';
  for (const container of initContainersOf(pod)) {
    const status = statuses.find((candidate) => candidate.name === container.name);
    if (isSidecar(container)) {
      if (!status?.started && !status?.state?.terminated) result = 'pending';
      continue;
    }
    const ended = status?.state?.terminated ?? (status?.state?.waiting ? status.lastState?.terminated : undefined);
    if (ended && ended.exitCode !== 0) return 'failed';
    if (!status?.state?.terminated) result = 'pending';
  }
  return result;
}

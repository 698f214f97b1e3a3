import type { Pod } from '../../shared/api/generated/types.js';
import { runningActions, shouldRestart, startActions, type PlanContext, type PodAction } from './container-actions.js';
import { ephemeralContainerActions } from './ephemeral-actions.js';
import { initContainerActions } from './init-actions.js';
import {
  exitCodeOf,
  hasEnded,
  isRunning,
  newestContainer,
  readySandbox,
  type PodObservation,
} from './pod-observation.js';
import { allContainers, ephemeralContainersOf, restartPolicyOf } from './pod-spec.js';

/** Decides the next steps for a pod that is to run. Pure: the same input gives the same steps. */
export function computePodActions(pod: Pod, observed: PodObservation, context: PlanContext): PodAction[] {
  const sandbox = readySandbox(observed, pod.spec.hostNetwork === true);
  const actions: PodAction[] = [];
  if (sandbox) {
    const init = initContainerActions(pod, observed, sandbox.id, context);
    actions.push(...ephemeralContainerActions(pod, observed), ...init.actions);
    if (init.failed) return [...actions, { type: 'finishPod' }];
    if (init.done) actions.push(...appContainerActions(pod, observed, context));
    if (init.done && isFinished(pod, observed, actions)) return [{ type: 'finishPod' }];
  } else {
    actions.push(...sandboxActions(pod, observed));
  }
  return [...actions, ...garbage(pod, observed, sandbox?.id)];
}

/**
 * A pod without a living sandbox gets a new one, unless nothing in it would run. Containers that outlived their sandbox are
 * killed first: they hold the old network.
 */
function sandboxActions(pod: Pod, observed: PodObservation): PodAction[] {
  const kills = observed.containers.filter(isRunning).map((container): PodAction => ({
    type: 'killContainer',
    id: container.id,
    name: container.name,
    reason: 'sandboxGone',
    message: 'Pod sandbox changed, it will be killed and re-created.',
  }));
  const newest = observed.sandboxes[0];
  const hasRun = newest !== undefined && observed.containers.length > 0;
  if (hasRun && restartPolicyOf(pod) === 'Never') return [...kills, { type: 'finishPod' }];
  const wouldRun = pod.spec.containers.some((container) => {
    const last = newestContainer(observed, container.name);
    return !(restartPolicyOf(pod) === 'OnFailure' && last && hasEnded(last) && exitCodeOf(last) === 0);
  });
  if (!wouldRun) return [...kills, { type: 'finishPod' }];
  return [...kills, { type: 'createSandbox', attempt: newest ? newest.attempt + 1 : 0 }];
}

function appContainerActions(pod: Pod, observed: PodObservation, context: PlanContext): PodAction[] {
  return pod.spec.containers.flatMap((container) => {
    const last = newestContainer(observed, container.name);
    if (last && isRunning(last)) return runningActions(pod, container, last, context);
    if (!shouldRestart(pod, last)) return [];
    return startActions(pod, container, 'app', last, context);
  });
}

function isFinished(pod: Pod, observed: PodObservation, actions: readonly PodAction[]): boolean {
  if (actions.some((action) => action.type === 'startContainer' && action.role === 'app')) return false;
  if (actions.some((action) => action.type === 'backOff' && isApp(pod, action.name))) return false;
  return pod.spec.containers.every((container) => {
    const last = newestContainer(observed, container.name);
    return last !== undefined && hasEnded(last) && !shouldRestart(pod, last);
  });
}

const isApp = (pod: Pod, name: string): boolean => pod.spec.containers.some((container) => container.name === name);

/**
 * Old attempts, but for the newest dead one of each container (`logs --previous`), and old sandboxes. A sandbox takes its
 * containers along, so it stays as long as one of them is worth keeping.
 */
function garbage(pod: Pod, observed: PodObservation, sandboxId: string | undefined): PodAction[] {
  if (!sandboxId) return [];
  const actions: PodAction[] = [];
  const needed = new Set([sandboxId]);
  const names = new Set([...allContainers(pod), ...ephemeralContainersOf(pod)].map((container) => container.name));
  for (const name of names) {
    const [newest, ...older] = observed.containers.filter((container) => container.name === name);
    if (newest) needed.add(newest.sandboxId);
    let keep = newest && !hasEnded(newest) ? 1 : 0;
    for (const container of older) {
      if (isRunning(container) || keep-- > 0) needed.add(container.sandboxId);
      else actions.push({ type: 'removeContainer', id: container.id });
    }
  }
  for (const sandbox of observed.sandboxes) {
    if (!needed.has(sandbox.id)) actions.push({ type: 'removeSandbox', id: sandbox.id });
  }
  return actions;
}

import type { Pod } from '../../shared/api/generated/types.js';
import { isSidecar } from '../../shared/api/pod.js';
import { runningActions, startActions, type PlanContext, type PodAction } from './container-actions.js';
import { exitCodeOf, hasEnded, isRunning, type ObservedContainer, type PodObservation } from './pod-observation.js';
import { initContainersOf, restartPolicyOf } from './pod-spec.js';

/** Outcome of looking at the init containers: `done` lets the others start, `failed` ends the pod. */
export interface InitOutcome {
  readonly actions: readonly PodAction[];
  readonly done: boolean;
  readonly failed: boolean;
}

/**
 * Walks the init containers in order up to the first that is not through. Only those of the living sandbox count: a new
 * sandbox runs them all again. Once an app container exists in it, plain init containers are behind us, and only sidecars
 * are looked after.
 */
export function initContainerActions(
  pod: Pod,
  observed: PodObservation,
  sandboxId: string,
  context: PlanContext,
): InitOutcome {
  const appNames = new Set(pod.spec.containers.map((container) => container.name));
  const initialized = observed.containers.some(
    (container) => container.sandboxId === sandboxId && appNames.has(container.name),
  );
  const actions: PodAction[] = [];
  for (const container of initContainersOf(pod)) {
    const all = observed.containers.filter((candidate) => candidate.name === container.name);
    const current = all.find((candidate) => candidate.sandboxId === sandboxId);
    if (isSidecar(container)) {
      if (current && isRunning(current)) {
        const kills = runningActions(pod, container, current, context);
        actions.push(...kills);
        if (!initialized && (kills.length > 0 || !context.hasStarted(current))) return pending(actions);
        continue;
      }
      actions.push(...startActions(pod, container, 'sidecar', current ?? rerun(all), context));
      if (!initialized) return pending(actions);
      continue;
    }
    if (initialized) continue;
    if (current && isRunning(current)) return pending(actions);
    if (current && hasEnded(current)) {
      if (exitCodeOf(current) === 0) continue;
      if (restartPolicyOf(pod) === 'Never') return { actions, done: false, failed: true };
    }
    return pending([...actions, ...startActions(pod, container, 'init', current ?? rerun(all), context)]);
  }
  return { actions, done: true, failed: false };
}

const pending = (actions: readonly PodAction[]): InitOutcome => ({ actions, done: false, failed: false });

/** One of an earlier sandbox: its attempt number goes on, but it is no crash loop. */
function rerun(all: readonly ObservedContainer[]): ObservedContainer | undefined {
  const last = all[0];
  return last && { ...last, finishedAtMs: 0 };
}

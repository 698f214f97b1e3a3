import type { Container, Pod } from '../../shared/api/generated/types.js';
import { exitCodeOf, hasEnded, isLeftover, type ObservedContainer } from './pod-observation.js';
import type { ContainerResources } from '../runtime/container-runtime.js';
import { containerHash, containerHashAnnotation, restartPolicyOf } from './pod-spec.js';
import { resizeNeedsRestart, resizeOf } from './resize.js';

export type ContainerRole = 'init' | 'sidecar' | 'app' | 'ephemeral';

/** One step towards the pod that was asked for. */
export type PodAction =
  | { readonly type: 'createSandbox'; readonly attempt: number }
  | { readonly type: 'startContainer'; readonly role: ContainerRole; readonly name: string; readonly attempt: number }
  | {
      readonly type: 'killContainer';
      readonly id: string;
      readonly name: string;
      readonly reason: 'changed' | 'resize' | 'liveness' | 'startup' | 'sandboxGone';
      readonly message: string;
    }
  | {
      readonly type: 'resizeContainer';
      readonly id: string;
      readonly name: string;
      readonly resources: ContainerResources;
    }
  | { readonly type: 'removeContainer'; readonly id: string }
  | { readonly type: 'removeSandbox'; readonly id: string }
  /** A container that waits out its crash loop. */
  | { readonly type: 'backOff'; readonly name: string; readonly delayMs: number; readonly untilMs: number }
  /** Nothing is left to run: what still runs (sidecars) is to be stopped. */
  | { readonly type: 'finishPod' };

/** What the planner asks about the world beside the pod and the runtime. */
export interface PlanContext {
  readonly nowMs: number;
  /** Which probe condemned this container. */
  condemned(containerId: string): 'liveness' | 'startup' | undefined;
  /** Whether the node has room for what a changed pod asks for. */
  readonly mayResize: boolean;
  /** Its startup probe, if there is one, has succeeded. */
  hasStarted(container: ObservedContainer): boolean;
  /** The wait in force for a container that ended at `endedAtMs`. */
  backOff(name: string, endedAtMs: number): { delayMs: number; untilMs: number } | undefined;
}

/** Kills what changed or was condemned by a probe; the restart follows when the runtime shows it as ended. */
export function runningActions(
  pod: Pod,
  container: Container,
  running: ObservedContainer,
  context: PlanContext,
): PodAction[] {
  const condemned = context.condemned(running.id);
  const hash = running.annotations[containerHashAnnotation];
  const changed = hash !== undefined && hash !== containerHash(container);
  if (!changed && !condemned) return context.mayResize ? resizeActions(container, running) : [];
  const what = changed ? `definition changed` : `failed ${condemned ?? ''} probe`;
  const restarts = changed || restartPolicyOf(pod) !== 'Never';
  return [
    {
      type: 'killContainer',
      id: running.id,
      name: container.name,
      reason: changed ? 'changed' : (condemned ?? 'liveness'),
      message: `Container ${container.name} ${what}${restarts ? ', will be restarted' : ''}`,
    },
  ];
}

/** New limits reach the process that runs, but for those that it would only heed when it starts. */
function resizeActions(container: Container, running: ObservedContainer): PodAction[] {
  const resources = resizeOf(container, running);
  if (!resources) return [];
  const { id } = running;
  const { name } = container;
  if (!resizeNeedsRestart(container, running)) return [{ type: 'resizeContainer', id, name, resources }];
  return [{ type: 'killContainer', id, name, reason: 'resize', message: `Container ${name} resize requires restart` }];
}

/** Whether restartPolicy lets a container that does not run start (again). */
export function shouldRestart(pod: Pod, last: ObservedContainer | undefined): boolean {
  if (!last || !hasEnded(last)) return true;
  const policy = restartPolicyOf(pod);
  if (policy === 'Never') return false;
  return policy === 'Always' || exitCodeOf(last) !== 0;
}

/** Start now, or wait for the end of the crash loop's pause. */
export function startActions(
  pod: Pod,
  container: Container,
  role: ContainerRole,
  last: ObservedContainer | undefined,
  context: PlanContext,
): PodAction[] {
  const name = container.name;
  if (!last) return [{ type: 'startContainer', role, name, attempt: attemptAfterLoss(pod, name) }];
  // The same attempt again: this one never ran, so it must not count as a restart.
  if (isLeftover(last)) {
    return [
      { type: 'removeContainer', id: last.id },
      { type: 'startContainer', role, name, attempt: last.attempt },
    ];
  }
  const wait = context.backOff(name, last.finishedAtMs ?? last.createdAtMs);
  if (wait) return [{ type: 'backOff', name, ...wait }];
  return [{ type: 'startContainer', role, name, attempt: last.attempt + 1 }];
}

/** The runtime knows nothing of the container; the API may remember that one ran: its count of restarts goes on. */
function attemptAfterLoss(pod: Pod, name: string): number {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const known = statuses.find((status) => status.name === name);
  return known?.containerID ? known.restartCount + 1 : 0;
}

import type { ContainerStatus, Pod, PodCondition } from '../../shared/api/generated/types.js';
import { isSidecar } from '../../shared/api/pod.js';
import { initContainersOf } from '../pod/pod-spec.js';
import { timestamp } from './container-status.js';
import type { PodResize } from '../pod/resize.js';
import type { PodPhase } from './pod-phase.js';

type Bare = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

/** There while a resize is not done. */
const resizeConditions: readonly string[] = ['PodResizePending', 'PodResizeInProgress'];

/** Conditions that the kubelet alone decides. */
const kubeletConditions: ReadonlySet<string> = new Set([
  ...resizeConditions,
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
]);

const disruptionReason = 'TerminationByKubelet';

/** The kubelet's conditions over those that others wrote; DisruptionTarget is whoever's who ends the pod. */
export function mergeConditions(
  own: readonly PodCondition[] = [],
  current: readonly PodCondition[] = [],
): PodCondition[] {
  const isOwn = ({ type, reason }: PodCondition): boolean => kubeletConditions.has(type) || reason === disruptionReason;
  const ours = own.filter(isOwn);
  const others = current.filter(({ type }) => !kubeletConditions.has(type) && !ours.some((one) => one.type === type));
  return [...ours, ...others];
}

export interface ConditionInput {
  readonly pod: Pod;
  readonly phase: PodPhase;
  readonly init: readonly ContainerStatus[];
  readonly app: readonly ContainerStatus[];
  readonly sandboxReady: boolean;
  readonly nowMs: number;
  readonly resize: PodResize | undefined;
  /** Why the kubelet ends the pod, where it does so for the sake of the node. */
  readonly disruption?: string | undefined;
}

/** The kubelet's conditions merged into what others wrote; lastTransitionTime moves only when the status does. */
export function podConditions(input: ConditionInput): PodCondition[] {
  const ready = containersReady(input);
  const own: Bare[] = [
    { type: 'PodReadyToStartContainers', status: input.sandboxReady ? 'True' : 'False' },
    initialized(input),
    podReady(input, ready),
    ready,
    { type: 'PodScheduled', status: 'True' },
    ...(input.resize ? [resizing(input.resize)] : []),
    ...(input.disruption === undefined ? [] : [disrupted(input.disruption)]),
  ];
  const before = input.pod.status?.conditions ?? [];
  const types = new Set([...own.map((condition) => condition.type), ...resizeConditions]);
  const merged = own.map((condition) => withTransition(condition, before, input));
  return [...merged, ...before.filter((condition) => !types.has(condition.type))];
}

const disrupted = (message: string): Bare => ({
  type: 'DisruptionTarget',
  status: 'True',
  reason: disruptionReason,
  message,
});

function resizing({ type, reason, message }: PodResize): Bare {
  return { type, status: 'True', ...(reason ? { reason } : {}), ...(message ? { message } : {}) };
}

function withTransition(condition: Bare, before: readonly PodCondition[], input: ConditionInput): PodCondition {
  const old = before.find((candidate) => candidate.type === condition.type);
  const generation = input.pod.metadata.generation;
  return {
    type: condition.type,
    status: condition.status,
    ...(generation !== undefined ? { observedGeneration: generation } : {}),
    lastTransitionTime:
      old?.status === condition.status && old.lastTransitionTime ? old.lastTransitionTime : timestamp(input.nowMs),
    ...(condition.reason ? { reason: condition.reason } : {}),
    ...(condition.message ? { message: condition.message } : {}),
  };
}

function initialized({ pod, phase, init, app }: ConditionInput): Bare {
  const type = 'Initialized';
  const names = initContainersOf(pod);
  if (phase === 'Succeeded') return { type, status: 'True', ...(names.length > 0 ? { reason: 'PodCompleted' } : {}) };
  if (app.some((status) => status.containerID && status.state?.running)) return { type, status: 'True' };
  const incomplete = names.filter((container) => {
    const status = init.find((candidate) => candidate.name === container.name);
    return isSidecar(container) ? !status?.started : !status?.ready;
  });
  if (incomplete.length === 0) return { type, status: 'True' };
  const list = incomplete.map((container) => container.name).join(' ');
  return {
    type,
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${list}]`,
  };
}

function containersReady({ pod, phase, init, app }: ConditionInput): Bare {
  const type = 'ContainersReady';
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const unknown: string[] = [];
  const unready: string[] = [];
  const check = (name: string, statuses: readonly ContainerStatus[]): void => {
    const status = statuses.find((candidate) => candidate.name === name);
    if (!status) unknown.push(name);
    else if (!status.ready) unready.push(name);
  };
  for (const container of initContainersOf(pod)) if (isSidecar(container)) check(container.name, init);
  for (const container of pod.spec.containers) check(container.name, app);
  const messages = [
    ...(unknown.length > 0 ? [`containers with unknown status: [${unknown.join(' ')}]`] : []),
    ...(unready.length > 0 ? [`containers with unready status: [${unready.join(' ')}]`] : []),
  ];
  if (messages.length === 0) return { type, status: 'True' };
  return { type, status: 'False', reason: 'ContainersNotReady', message: messages.join(', ') };
}

function podReady({ pod }: ConditionInput, ready: Bare): Bare {
  const type = 'Ready';
  if (ready.status !== 'True') return { ...ready, type };
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find((candidate) => candidate.type === conditionType);
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (condition.status === 'True') return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  if (messages.length === 0) return { type, status: 'True' };
  return { type, status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}

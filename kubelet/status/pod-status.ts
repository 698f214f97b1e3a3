import type { Container, ContainerStatus, Pod, PodStatus } from '../../shared/api/generated/types.js';
import { isPodTerminal, isSidecar, qosClass } from '../../shared/api/pod.js';
import { shouldRestart } from '../pod/container-actions.js';
import {
  exitCodeOf,
  hasEnded,
  isRunning,
  readySandbox,
  type ObservedContainer,
  type PodObservation,
} from '../pod/pod-observation.js';
import { ephemeralContainersOf, initContainersOf } from '../pod/pod-spec.js';
import type { PodResize } from '../pod/resize.js';
import { containerStatus, timestamp, type WaitingReason } from './container-status.js';
import { podConditions } from './pod-conditions.js';
import { podPhase, type PodPhase } from './pod-phase.js';

/** Why the kubelet itself ended or refused the pod. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
  /** Nothing of it was ever begun here. */
  readonly isRejection?: boolean;
  /** The kubelet ended the pod for the sake of the node; a condition tells it. */
  readonly isDisruption?: boolean;
  /** Instead of the time that the pod asks for. */
  readonly graceSeconds?: number;
}

export interface StatusInput {
  readonly pod: Pod;
  readonly observed: PodObservation;
  readonly nowMs: number;
  readonly hostIPs: readonly string[];
  readonly waiting: ReadonlyMap<string, WaitingReason>;
  /** Nothing will be started any more. */
  readonly terminal: boolean;
  readonly failure: PodFailure | undefined;
  readonly resize: PodResize | undefined;
  hasStarted(container: ObservedContainer): boolean;
  isReady(container: ObservedContainer): boolean;
}

/** The whole status that the pod should have. Pure. */
export function podStatus(input: StatusInput): PodStatus {
  const { pod, observed, nowMs } = input;
  const init = initContainersOf(pod).map((container) => statusOf(input, container, true));
  const app = pod.spec.containers.map((container) => statusOf(input, container, false));
  const ephemeral = ephemeralContainersOf(pod).map((container) => ephemeralStatus(input, container));
  const phase = phaseWithFailure(input, podPhase(pod, init, app, ephemeral), [...init, ...app], ephemeral);
  const sandbox = readySandbox(observed, pod.spec.hostNetwork === true);
  const sandboxReady = sandbox !== undefined;
  // While something still runs the phase stays, and so do its reason and message.
  const isOver = phase === 'Failed' || phase === 'Succeeded';
  const reason = (isOver ? input.failure : undefined) ?? { reason: pod.status?.reason, message: pod.status?.message };
  const generation = pod.metadata.generation;
  return {
    ...carriedOver(pod),
    ...(generation !== undefined ? { observedGeneration: generation } : {}),
    phase,
    ...(reason.reason ? { reason: reason.reason } : {}),
    ...(reason.message ? { message: reason.message } : {}),
    conditions: podConditions({
      pod,
      phase,
      init,
      app,
      sandboxReady,
      nowMs,
      resize: input.resize,
      disruption: disruptionOf(input),
    }),
    ...addresses(input, sandbox?.ips),
    startTime: pod.status?.startTime ?? timestamp(nowMs),
    ...(init.length > 0 && !isRejected(input) ? { initContainerStatuses: init } : {}),
    ...(isRejected(input) ? {} : { containerStatuses: app }),
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    qosClass: pod.status?.qosClass ?? qosClass(pod.spec),
  };
}

const disruptionOf = ({ failure }: StatusInput): string | undefined =>
  failure?.isDisruption ? failure.message : undefined;

/** What was refused never had containers; that it was stays visible when nobody remembers the refusal. */
function isRejected({ pod, failure, observed }: StatusInput): boolean {
  if (failure) return failure.isRejection === true;
  return isPodTerminal(pod) && observed.containers.length === 0 && !pod.status?.containerStatuses?.length;
}

/** A pod that the kubelet ended is Failed as soon as nothing of it runs; a terminal phase in the API is final. */
function phaseWithFailure(
  input: StatusInput,
  phase: PodPhase,
  all: readonly ContainerStatus[],
  ephemeral: readonly ContainerStatus[],
): PodPhase {
  const running = [...all, ...ephemeral].some((status) => status.state?.running);
  if (isPodTerminal(input.pod)) return input.pod.status?.phase as PodPhase;
  if (input.failure) return running ? phase : 'Failed';
  if (!input.terminal || running || phase === 'Succeeded') return phase;
  // Ended from outside before it was through: it has no future, so it must not stay Pending or Running.
  const unfinished = all.some((status) => status.state?.terminated && status.state.terminated.exitCode !== 0);
  return unfinished || phase === 'Failed' || phase === 'Pending' ? 'Failed' : 'Succeeded';
}

/** Fields that others write or that the kubelet does not decide. */
function carriedOver(pod: Pod): PodStatus {
  const status = pod.status ?? {};
  return {
    ...(status.nominatedNodeName ? { nominatedNodeName: status.nominatedNodeName } : {}),
    ...(status.resourceClaimStatuses ? { resourceClaimStatuses: status.resourceClaimStatuses } : {}),
  };
}

function addresses(input: StatusInput, sandboxIps: readonly string[] | undefined): PodStatus {
  const { pod, hostIPs, observed } = input;
  // A pod at its end keeps the last address that it had.
  const known = sandboxIps ?? observed.sandboxes.find((sandbox) => sandbox.ips.length > 0)?.ips;
  const kept = input.terminal ? (pod.status?.podIPs ?? []).map((entry) => entry.ip) : [];
  const own = known && known.length > 0 ? known : kept;
  const ips = pod.spec.hostNetwork ? hostIPs : own;
  return {
    ...(hostIPs[0] ? { hostIP: hostIPs[0], hostIPs: hostIPs.map((ip) => ({ ip })) } : {}),
    ...(ips[0] ? { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) } : {}),
  };
}

function statusOf(input: StatusInput, container: Container, isInit: boolean): ContainerStatus {
  const { pod, observed } = input;
  const all = observed.containers.filter((candidate) => candidate.name === container.name);
  const newest = all[0];
  const previous = (isInit ? pod.status?.initContainerStatuses : pod.status?.containerStatuses)?.find(
    (status) => status.name === container.name,
  );
  const plainInit = isInit && !isSidecar(container);
  const running = newest !== undefined && isRunning(newest);
  const started = running && (plainInit || input.hasStarted(newest));
  const endedWell = newest !== undefined && hasEnded(newest) && exitCodeOf(newest) === 0;
  const previousWell = !newest && previous?.state?.terminated?.exitCode === 0;
  return containerStatus({
    container,
    observed: all,
    previous,
    waiting: input.waiting.get(container.name),
    defaultWaitingReason: initContainersOf(pod).length > 0 ? 'PodInitializing' : 'ContainerCreating',
    willRestart: !input.terminal && willRun(pod, container, plainInit, newest, previous),
    started,
    ready: plainInit ? endedWell || previousWell : started && input.isReady(newest),
    terminal: input.terminal,
  });
}

/** It has no part in the readiness of the pod, and one that the runtime has lost has ended. */
function ephemeralStatus(input: StatusInput, container: Container): ContainerStatus {
  const { pod, observed } = input;
  const previous = pod.status?.ephemeralContainerStatuses?.find((status) => status.name === container.name);
  const all = observed.containers.filter((candidate) => candidate.name === container.name);
  const { started: _started, ...status } = containerStatus({
    container,
    observed: all,
    previous,
    waiting: input.waiting.get(container.name),
    defaultWaitingReason: initContainersOf(pod).length > 0 ? 'PodInitializing' : 'ContainerCreating',
    willRestart: false,
    started: false,
    ready: false,
    terminal: input.terminal || (all.length === 0 && previous?.state?.running !== undefined),
  });
  return status;
}

function willRun(
  pod: Pod,
  container: Container,
  plainInit: boolean,
  newest: ObservedContainer | undefined,
  previous: ContainerStatus | undefined,
): boolean {
  if (isSidecar(container)) return true;
  const endedWell = newest ? hasEnded(newest) && exitCodeOf(newest) === 0 : !!previous?.state?.terminated;
  if (plainInit && endedWell) return false;
  return newest ? shouldRestart(pod, newest) : !previous?.state?.terminated;
}

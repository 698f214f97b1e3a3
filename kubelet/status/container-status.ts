import type { Container, ContainerState, ContainerStatus } from '../../shared/api/generated/types.js';
import { exitCodeOf, hasEnded, isRunning, type ObservedContainer } from '../pod/pod-observation.js';
import { resizeOf } from '../pod/resize.js';

/** Why a container waits, kept by the worker from the failed attempt. */
export interface WaitingReason {
  readonly reason: string;
  readonly message?: string;
}

export interface ContainerView {
  readonly container: Container;
  /** Newest first. */
  readonly observed: readonly ObservedContainer[];
  /** What the API said before. */
  readonly previous: ContainerStatus | undefined;
  /** Set while the container is not started for a reason; wins over a terminated state if it is to run again. */
  readonly waiting: WaitingReason | undefined;
  /** `ContainerCreating` or `PodInitializing`. */
  readonly defaultWaitingReason: string;
  readonly willRestart: boolean;
  readonly started: boolean;
  readonly ready: boolean;
  /** The pod is at its end, nothing will be started any more. */
  readonly terminal: boolean;
}

/** The API's status of one container. Pure. */
export function containerStatus(view: ContainerView): ContainerStatus {
  const [newest, older] = view.observed;
  if (!newest) return unseenStatus(view);
  let state = stateOf(newest);
  let last = older && hasEnded(older) ? stateOf(older) : undefined;
  if (view.waiting && (state.terminated ? view.willRestart : state.waiting) && !view.terminal) {
    if (state.terminated) last = state;
    state = { waiting: { ...view.waiting } };
  }
  const running = state.running !== undefined;
  return {
    name: view.container.name,
    state,
    lastState: last ?? {},
    ready: view.ready,
    restartCount: newest.attempt,
    image: imageName(newest, view.container),
    imageID: imageId(newest.imageId),
    containerID: containerId(newest.id),
    started: running && view.started,
    ...resourcesOf(view, newest),
  };
}

/** The runtime does not know the container: it waits for its first start, or it was lost. */
function unseenStatus(view: ContainerView): ContainerStatus {
  const { previous, container } = view;
  const wasRunning = previous?.state?.running !== undefined;
  const keep = previous?.state?.terminated !== undefined && !view.willRestart;
  if (previous && keep) return { ...previous, ready: view.ready, started: false };
  if (previous && wasRunning && view.terminal) {
    const terminated = {
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
      message: 'The container could not be located when the pod was terminated',
    };
    return { ...previous, state: { terminated }, ready: false, started: false };
  }
  const waiting = view.waiting ?? { reason: view.defaultWaitingReason };
  return {
    name: container.name,
    state: { waiting: { ...waiting } },
    lastState: previous?.state?.terminated ? { terminated: previous.state.terminated } : (previous?.lastState ?? {}),
    ready: false,
    restartCount: previous?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: previous?.imageID ?? '',
    started: false,
  };
}

function stateOf(container: ObservedContainer): ContainerState {
  if (hasEnded(container)) return { terminated: terminatedState(container) };
  if (container.state === 'created') return { waiting: { reason: 'ContainerCreating' } };
  return { running: { startedAt: timestamp(container.startedAtMs ?? container.createdAtMs) } };
}

function terminatedState(container: ObservedContainer): NonNullable<ContainerState['terminated']> {
  const exitCode = exitCodeOf(container);
  const message = container.terminationMessage ?? (container.error || undefined);
  return {
    exitCode,
    reason: terminatedReason(container, exitCode),
    ...(message ? { message } : {}),
    ...(container.startedAtMs !== undefined ? { startedAt: timestamp(container.startedAtMs) } : {}),
    finishedAt: timestamp(container.finishedAtMs ?? container.createdAtMs),
    containerID: containerId(container.id),
  };
}

function terminatedReason(container: ObservedContainer, exitCode: number): string {
  if (container.oomKilled) return 'OOMKilled';
  if (exitCode === 0) return 'Completed';
  return container.error === undefined ? 'Error' : 'ContainerCannotRun';
}

/** Seconds, as the API's Time has no fractions. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

export const containerId = (id: string): string => `docker://${id}`;

/** `docker-pullable://` where the image has a digest of a registry, as with the original on Docker. */
function imageId(id: string): string {
  if (id === '' || /^docker(-pullable)?:\/\//.test(id)) return id;
  return id.includes('@') ? `docker-pullable://${id}` : `docker://${id}`;
}

/** The runtime tells a bare id for an image whose tag has moved on; the name that was asked for says more. */
function imageName(observed: ObservedContainer, container: Container): string {
  return observed.image === '' || observed.image.startsWith('sha256:') ? (container.image ?? '') : observed.image;
}

/** While a resize is not done, the container still has what was told of it before. */
function resourcesOf(
  { container, previous }: ContainerView,
  newest: ObservedContainer,
): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  if (previous?.resources && isRunning(newest) && resizeOf(container, newest)) {
    const { resources, allocatedResources } = previous;
    return { resources, ...(allocatedResources ? { allocatedResources } : {}) };
  }
  const resources = container.resources;
  if (!resources) return {};
  return {
    ...(resources.requests ? { allocatedResources: resources.requests } : {}),
    resources: {
      ...(resources.limits ? { limits: resources.limits } : {}),
      ...(resources.requests ? { requests: resources.requests } : {}),
    },
  };
}

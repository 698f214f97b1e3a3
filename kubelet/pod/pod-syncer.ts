import type { Container, Pod } from '../../shared/api/generated/types.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import type { ContainerKiller } from '../container/container-killer.js';
import type { ContainerStarter } from '../container/container-starter.js';
import type { NodeFacts } from '../container/field-ref.js';
import { sandboxConfig } from '../container/sandbox-config.js';
import { StartError } from '../container/start-error.js';
import { containerEvent } from '../event/pod-events.js';
import type { ImageManager } from '../image/image-manager.js';
import type { ContainerHealth } from '../probe/container-health.js';
import { RuntimeError, type ContainerRuntime, type ImageStatus } from '../runtime/container-runtime.js';
import type { StatusPublisher } from '../status/status-publisher.js';
import type { ObjectCache } from '../volume/object-cache.js';
import { VolumeError, type MountedVolume, type VolumeManager } from '../volume/volume-manager.js';
import type { PodAction } from './container-actions.js';
import { Backoff } from './crash-backoff.js';
import { formatSeconds } from './duration-text.js';
import { computePodActions } from './pod-actions.js';
import { hasEnded, newestContainer, nothingObserved, readySandbox } from './pod-observation.js';
import type { ObservedContainer, PodObservation } from './pod-observation.js';
import type { PodObserver } from './pod-observer.js';
import type { PodRecord } from './pod-record.js';
import { ephemeralContainersOf, findContainer, initContainersOf, podLabel } from './pod-spec.js';
import { resizeEvent } from './resize-events.js';
import { needsResize, type PodResize } from './resize.js';

export interface PodSyncerOptions {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly observer: PodObserver;
  readonly starter: ContainerStarter;
  readonly killer: ContainerKiller;
  readonly images: ImageManager;
  readonly volumes: VolumeManager;
  readonly source: ObjectCache;
  readonly health: ContainerHealth;
  readonly publisher: StatusPublisher;
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  readonly clusterDomain: string;
  /** Why the node has no room for what a changed pod asks for. */
  readonly resizeRefusal: (pod: Pod) => PodResize | undefined;
}

/** How a sync ended: all containers are through, or look again after a while. */
export interface SyncOutcome {
  readonly finished: boolean;
  readonly requeueAfterMs?: number;
}

/** One pass over a pod: what it needs, made at most once. */
interface Pass {
  readonly record: PodRecord;
  readonly pod: Pod;
  readonly signal: AbortSignal;
  readonly images: Map<string, Promise<ImageStatus>>;
  volumes: Promise<ReadonlyMap<string, MountedVolume>> | undefined;
  readonly failed: Set<string>;
}

const maxRounds = 30;
const minRetryMs = 1_000;
const maxRetryMs = 10_000;

/** Brings a pod that is to run nearer to what it asks for, and writes its status after every step. */
export class PodSyncer {
  readonly #options: PodSyncerOptions;
  readonly #crashes = new Backoff();

  constructor(options: PodSyncerOptions) {
    this.#options = options;
  }

  async sync(record: PodRecord, pod: Pod, signal: AbortSignal): Promise<SyncOutcome> {
    const { observer, publisher, health, clock } = this.#options;
    const pass: Pass = { record, pod, signal, images: new Map(), volumes: undefined, failed: new Set() };
    let observed = record.isUntouched ? nothingObserved : await observer.observe(record.uid, pod);
    record.isUntouched = false;
    for (let round = 0; round < maxRounds; round++) {
      signal.throwIfAborted();
      health.sync(pod, observed);
      const plan = this.#plan(record, pod, observed);
      this.#noteWaits(record, pod, plan);
      if (plan.some((action) => action.type === 'finishPod')) return { finished: true };
      publisher.publish(record, pod, observed, false);
      const steps = plan.filter((action) => isStep(action) && !this.#hasFailed(pass, action));
      if (steps.length === 0) return { finished: false, ...this.#nextLook(pass, plan, clock.now()) };
      await this.#execute(steps, pass, observed);
      observed = await observer.observe(record.uid, pod);
    }
    return { finished: false, requeueAfterMs: maxRetryMs };
  }

  forget(uid: string): void {
    this.#crashes.forget(`${uid}/`);
  }

  #plan(record: PodRecord, pod: Pod, observed: PodObservation): PodAction[] {
    const { health, clock } = this.#options;
    const nowMs = clock.now();
    this.#noteResize(record, pod, this.#resize(record, pod, observed));
    return computePodActions(pod, observed, {
      nowMs,
      mayResize: record.resize?.type !== 'PodResizePending',
      condemned: (id) => health.condemned(id),
      hasStarted: (container) => health.hasStarted(pod, container),
      backOff: (name, endedAtMs) => this.#crashes.waiting(`${record.uid}/${name}`, endedAtMs, nowMs),
    });
  }

  /** A resize that failed stays told until it succeeds or something else is asked for. */
  #resize(record: PodRecord, pod: Pod, observed: PodObservation): PodResize | undefined {
    if (!needsResize(pod, observed)) return undefined;
    const { generation } = pod.metadata;
    const before = record.resize;
    const isKept = before?.reason === 'Error' && before.generation === generation;
    const refusal = this.#options.resizeRefusal(pod);
    if (refusal) return { ...refusal, generation };
    return isKept ? before : { type: 'PodResizeInProgress', generation };
  }

  #noteResize(record: PodRecord, pod: Pod, resize: PodResize | undefined): void {
    const event = resizeEvent(pod, record.resize, resize);
    record.resize = resize;
    if (event) this.#options.events.event(pod, event.type, event.reason, event.message);
  }

  #hasFailed(pass: Pass, action: PodAction): boolean {
    const isTried = action.type === 'startContainer' || action.type === 'resizeContainer';
    return isTried && pass.failed.has(action.name);
  }

  /** Crash loops show in the status, and once each in an event. */
  #noteWaits(record: PodRecord, pod: Pod, plan: readonly PodAction[]): void {
    for (const action of plan) {
      if (action.type !== 'backOff') continue;
      const { name, delayMs } = action;
      const message = `back-off ${formatSeconds(delayMs / 1000)} restarting failed container=${name} pod=${podLabel(pod)}`;
      const before = record.waiting.get(name);
      if (before?.reason === 'CrashLoopBackOff' && before.message === message) continue;
      record.waiting.set(name, { reason: 'CrashLoopBackOff', message });
      containerEvent(
        this.#options.events,
        pod,
        { name },
        {
          type: 'Warning',
          reason: 'BackOff',
          message: `Back-off restarting failed container ${name} in pod ${podLabel(pod)}`,
        },
      );
    }
  }

  #nextLook(pass: Pass, plan: readonly PodAction[], nowMs: number): { requeueAfterMs?: number } {
    const times = plan.flatMap((action) => (action.type === 'backOff' ? [action.untilMs] : []));
    const retryMs = Math.min(minRetryMs * 2 ** pass.record.failures, maxRetryMs);
    for (const name of pass.failed) {
      const container = findContainer(pass.pod, name);
      const pullAtMs = container && this.#options.images.retryAtMs(pass.pod, container);
      times.push(pullAtMs ?? nowMs + retryMs);
    }
    pass.record.failures = pass.failed.size > 0 ? pass.record.failures + 1 : 0;
    const deadline = deadlineMs(pass.pod, nowMs);
    if (deadline !== undefined) times.push(deadline);
    if (pass.record.resize?.reason === 'Deferred') times.push(nowMs + maxRetryMs);
    if (times.length === 0) return {};
    // ImagePullBackOff follows ErrImagePull a moment later, as the status of the original shows.
    const toldMs = pass.failed.size > 0 ? nowMs + retryMs : Infinity;
    return { requeueAfterMs: Math.max(1, Math.min(...times, toldMs) - nowMs) };
  }

  async #execute(steps: readonly PodAction[], pass: Pass, observed: PodObservation): Promise<void> {
    const kills = steps.filter((action) => action.type === 'killContainer');
    await Promise.all(kills.map((action) => this.#kill(action, pass, observed)));
    for (const action of steps) {
      pass.signal.throwIfAborted();
      await this.#step(action, pass, observed);
    }
  }

  async #step(action: PodAction, pass: Pass, observed: PodObservation): Promise<void> {
    const { runtime } = this.#options;
    switch (action.type) {
      case 'createSandbox':
        return await this.#createSandbox(action.attempt, pass);
      case 'startContainer':
        return await this.#start(action, pass, observed);
      case 'resizeContainer':
        return await this.#resizeContainer(action, pass);
      case 'removeContainer':
        return await runtime.removeContainer(action.id);
      case 'removeSandbox':
        return await runtime.removePodSandbox(action.id);
      case 'killContainer':
      case 'backOff':
      case 'finishPod':
        return;
    }
  }

  async #resizeContainer(
    action: PodAction & { type: 'resizeContainer' },
    { record, pod, failed }: Pass,
  ): Promise<void> {
    try {
      await this.#options.runtime.updateContainer(action.id, action.resources);
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code === 'Unavailable') throw error;
      failed.add(action.name);
      const { message } = error;
      const { generation } = pod.metadata;
      this.#noteResize(record, pod, { type: 'PodResizeInProgress', reason: 'Error', message, generation });
    }
  }

  /** Volumes and images are got ready while the engine makes the sandbox: that is most of a pod's start. */
  async #createSandbox(attempt: number, pass: Pass): Promise<void> {
    const { runtime, events, clusterDomain, hostIPs } = this.#options;
    const { pod } = pass;
    if (attempt > 0)
      events.event(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
    const config = sandboxConfig(pod, attempt, clusterDomain, hostIPs[0] ?? '');
    void this.#prepareVolumes(pass, []).catch(() => undefined);
    const first = initContainersOf(pod)[0];
    for (const container of first ? [first] : pod.spec.containers) this.#prefetch(container, pass);
    try {
      await runtime.runPodSandbox(config);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      events.event(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${message}`);
      throw error;
    }
  }

  #prefetch(container: Container, pass: Pass): void {
    const image = this.#options.images.ensure(pass.pod, container, pass.signal);
    image.catch(() => undefined);
    pass.images.set(container.name, image);
  }

  #prepareVolumes(pass: Pass, podIPs: readonly string[]): Promise<ReadonlyMap<string, MountedVolume>> {
    if (!pass.volumes) {
      // A container that starts must see what was written before.
      this.#options.source.forgetOlderThan(0);
      pass.volumes = this.#options.volumes.prepare(pass.pod, this.#facts(podIPs));
    }
    return pass.volumes;
  }

  #facts(podIPs: readonly string[]): NodeFacts {
    const { nodeName, hostIPs } = this.#options;
    return { nodeName, hostIPs, podIPs };
  }

  async #start(
    action: Extract<PodAction, { type: 'startContainer' }>,
    pass: Pass,
    observed: PodObservation,
  ): Promise<void> {
    const { starter, clock } = this.#options;
    const { pod, record, signal } = pass;
    const container = findContainer(pod, action.name);
    const sandbox = readySandbox(observed, pod.spec.hostNetwork === true);
    if (!container || !sandbox) return;
    const last = newestContainer(observed, action.name);
    if (last && hasEnded(last)) this.#crashes.next(`${record.uid}/${action.name}`, clock.now());
    const podIPs = pod.spec.hostNetwork ? this.#options.hostIPs : sandbox.ips;
    const image = pass.images.get(container.name);
    pass.images.delete(container.name);
    try {
      await starter.start({
        pod,
        container,
        attempt: action.attempt,
        sandbox,
        sandboxConfig: sandboxConfig(pod, sandbox.attempt, this.#options.clusterDomain, this.#options.hostIPs[0] ?? ''),
        volumes: await this.#prepareVolumes(pass, podIPs),
        facts: this.#facts(podIPs),
        ...(image ? { image } : {}),
        ...targetIn(observed, pod, action.name),
        signal,
        onStarted: () => void this.#publishNow(pass).catch(() => undefined),
      });
      record.waiting.delete(action.name);
    } catch (error) {
      this.#noteFailure(pass, action.name, error);
    }
  }

  /** While a postStart hook takes its time, the status already shows that the container runs. */
  async #publishNow({ record, pod }: Pass): Promise<void> {
    const { observer, publisher } = this.#options;
    publisher.publish(record, pod, await observer.observe(record.uid, pod), false);
  }

  /** What a container lacks is told and tried again later; any other failure ends the sync. */
  #noteFailure({ record, pod, failed }: Pass, name: string, error: unknown): void {
    if (error instanceof VolumeError) this.#options.events.event(pod, 'Warning', 'FailedMount', error.message);
    else if (error instanceof StartError) record.waiting.set(name, { reason: error.reason, message: error.message });
    else throw error;
    failed.add(name);
  }

  async #kill(action: PodAction, { pod }: Pass, observed: PodObservation): Promise<void> {
    if (action.type !== 'killContainer') return;
    const running = observed.containers.find((candidate) => candidate.id === action.id);
    if (!running) return;
    const container = findContainer(pod, action.name);
    await this.#options.killer.kill({
      pod,
      ...(container ? { container } : {}),
      running,
      graceSeconds: graceFor(pod, container, action.reason),
      message: action.message,
      podIP: observed.sandboxes[0]?.ips[0] ?? '',
    });
  }
}

/** What runs of the container that an ephemeral one is to look into. */
function targetIn(observed: PodObservation, pod: Pod, name: string): { target?: ObservedContainer } {
  const wanted = ephemeralContainersOf(pod).find((container) => container.name === name)?.targetContainerName;
  const target = wanted ? newestContainer(observed, wanted) : undefined;
  return target ? { target } : {};
}

const isStep = (action: PodAction): boolean => action.type !== 'backOff' && action.type !== 'finishPod';

/** A probe that condemns may have a grace period of its own. */
function graceFor(pod: Pod, container: Container | undefined, reason: string): number {
  const probe =
    reason === 'liveness' ? container?.livenessProbe : reason === 'startup' ? container?.startupProbe : undefined;
  return probe?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
}

/** When activeDeadlineSeconds runs out, for a pod whose status has yet to tell its start counted from `nowMs`. */
export function deadlineMs(pod: Pod, nowMs: number): number | undefined {
  const { activeDeadlineSeconds } = pod.spec;
  if (activeDeadlineSeconds === undefined) return undefined;
  const startMs = Date.parse(pod.status?.startTime ?? '');
  return (Number.isNaN(startMs) ? nowMs : startMs) + activeDeadlineSeconds * 1000;
}

import type { Container, ContainerStatus as ApiContainerStatus, Pod, Probe } from '../../shared/api/generated/types.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import type { Log } from '../../shared/log/log.js';
import { containerEvent } from '../event/pod-events.js';
import { isRunning, newestContainer, type ObservedContainer, type PodObservation } from '../pod/pod-observation.js';
import { allContainers, findContainer } from '../pod/pod-spec.js';
import { containerId } from '../status/container-status.js';
import type { ContainerHealth } from './container-health.js';
import type { ProbeResult, ProbeTarget, RunProbe } from './probe.js';
import type { ProbeCount, ProbeMetrics } from './probe-metrics.js';
import { ProbeWorker, type ProbeType } from './probe-worker.js';

export interface ProbeManagerOptions {
  readonly clock: Clock;
  readonly run: RunProbe;
  readonly events: EventRecorder;
  readonly log: Log;
  readonly hostIP: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly metrics: ProbeMetrics;
  /** A verdict changed: the pod's worker should look. */
  readonly onChange: (uid: string) => void;
}

type Workers = Partial<Record<ProbeType, ProbeWorker>>;
const capitalized = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' } as const;

/** One worker for each probe of each running container; while a startup probe has not succeeded, only that one. */
export class ProbeManager implements ContainerHealth {
  readonly #options: ProbeManagerOptions;
  /** By pod uid, then container id. */
  readonly #pods = new Map<string, Map<string, Workers>>();

  constructor(options: ProbeManagerOptions) {
    this.#options = options;
  }

  sync(pod: Pod, observed: PodObservation): void {
    const uid = pod.metadata.uid ?? '';
    const workers = this.#pods.get(uid) ?? new Map<string, Workers>();
    const running = new Set<string>();
    for (const container of allContainers(pod)) {
      const newest = newestContainer(observed, container.name);
      if (!newest || !isRunning(newest)) continue;
      running.add(newest.id);
      const own = workers.get(newest.id) ?? {};
      workers.set(newest.id, own);
      this.#pods.set(uid, workers);
      this.#ensure(own, pod, container, newest, observed);
    }
    for (const [id, own] of workers) {
      if (running.has(id)) continue;
      stopAll(own);
      workers.delete(id);
    }
    if (workers.size === 0) this.#pods.delete(uid);
  }

  stop(uid: string): void {
    for (const own of this.#pods.get(uid)?.values() ?? []) stopAll(own);
    this.#pods.delete(uid);
    this.#options.metrics.forget(uid);
  }

  condemned(id: string): 'liveness' | 'startup' | undefined {
    for (const workers of this.#pods.values()) {
      const own = workers.get(id);
      if (!own) continue;
      if (own.startup?.holds === false) return 'startup';
      return own.liveness?.holds === false ? 'liveness' : undefined;
    }
    return undefined;
  }

  hasStarted(pod: Pod, container: ObservedContainer): boolean {
    if (!isRunning(container)) return false;
    if (!findContainer(pod, container.name)?.startupProbe) return true;
    return this.#workers(pod, container)?.startup?.holds ?? wasSo(pod, container, 'started');
  }

  isReady(pod: Pod, container: ObservedContainer): boolean {
    if (!this.hasStarted(pod, container)) return false;
    if (!findContainer(pod, container.name)?.readinessProbe) return true;
    return this.#workers(pod, container)?.readiness?.holds ?? wasSo(pod, container, 'ready');
  }

  #workers(pod: Pod, container: ObservedContainer): Workers | undefined {
    return this.#pods.get(pod.metadata.uid ?? '')?.get(container.id);
  }

  #ensure(own: Workers, pod: Pod, container: Container, running: ObservedContainer, observed: PodObservation): void {
    const podIP = pod.spec.hostNetwork ? this.#options.hostIP : (observed.sandboxes[0]?.ips[0] ?? '');
    const target = { pod, container, containerId: running.id, podIP };
    const { startupProbe, livenessProbe, readinessProbe } = container;
    if (startupProbe && !own.startup) {
      own.startup = this.#worker('startup', startupProbe, target, running, wasSo(pod, running, 'started') || undefined);
    }
    if (!this.hasStarted(pod, running)) return;
    if (livenessProbe) own.liveness ??= this.#worker('liveness', livenessProbe, target, running, true);
    if (readinessProbe) {
      own.readiness ??= this.#worker('readiness', readinessProbe, target, running, wasSo(pod, running, 'ready'));
    }
  }

  #worker(
    type: ProbeType,
    probe: Probe,
    target: ProbeTarget,
    running: ObservedContainer,
    initial: boolean | undefined,
  ): ProbeWorker {
    const { clock, run, random, onChange, log, metrics } = this.#options;
    const startedAtMs = running.startedAtMs ?? running.createdAtMs;
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    // One that has run for a while was adopted by a restarted kubelet.
    const adopted = clock.now() - startedAtMs > periodMs;
    return new ProbeWorker({
      clock,
      run,
      type,
      probe,
      startedAtMs,
      target,
      initial,
      firstDelayMs: adopted ? random() * periodMs : 0,
      onVerdict: () => onChange(target.pod.metadata.uid ?? ''),
      onProbed: (result, durationMs) => metrics.probed(type, target, countOf(result), durationMs),
      onTrouble: (result) => this.#tell(type, target, result),
      onError: (error) => log.debug('a probe could not be carried out', { container: target.container.name, error }),
    });
  }

  #tell(type: ProbeType, { pod, container }: ProbeTarget, { outcome, output }: ProbeResult): void {
    const name = capitalized[type];
    const failed = outcome === 'failure';
    containerEvent(this.#options.events, pod, container, {
      type: 'Warning',
      reason: failed ? 'Unhealthy' : 'ProbeWarning',
      message: `${name} probe ${failed ? 'failed' : 'warning'}: ${output}`,
    });
  }
}

/** A warning is a success that says more. */
const countOf = (result: ProbeResult | undefined): ProbeCount =>
  result === undefined ? 'unknown' : result.outcome === 'failure' ? 'failed' : 'successful';

function stopAll(workers: Workers): void {
  for (const worker of Object.values(workers)) worker.stop();
}

/** What the API last said of this very container: a restarted kubelet does not take a ready pod out of service. */
function wasSo(pod: Pod, container: ObservedContainer, field: 'started' | 'ready'): boolean {
  const all: ApiContainerStatus[] = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  return all.some((status) => status.containerID === containerId(container.id) && status[field] === true);
}

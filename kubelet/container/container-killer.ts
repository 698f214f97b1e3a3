import type { Container, Pod } from '../../shared/api/generated/types.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import { isAbort } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import { containerEvent } from '../event/pod-events.js';
import type { ContainerRuntime, ContainerStatus } from '../runtime/container-runtime.js';
import { HookExitError, runHook } from './lifecycle-hook.js';

export interface ContainerKillerOptions {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly log: Log;
}
export interface KillRequest {
  /** Absent for a container whose pod the API has forgotten: it gets neither hook nor event. */
  readonly pod?: Pod;
  readonly container?: Container;
  readonly running: ContainerStatus;
  readonly graceSeconds: number;
  readonly message?: string;
  readonly podIP: string;
}

/** After a preStop hook that used up the grace period a process still gets so long. */
const minimumGraceSeconds = 2;

/** Ends one container: preStop, stop signal, and SIGKILL when its grace period is over. */
export class ContainerKiller {
  readonly #options: ContainerKillerOptions;

  constructor(options: ContainerKillerOptions) {
    this.#options = options;
  }

  async kill(request: KillRequest): Promise<void> {
    const { clock, events, runtime } = this.#options;
    const { pod, container, running, graceSeconds } = request;
    const startMs = clock.monotonic();
    if (pod && container) {
      const message = request.message ?? `Stopping container ${container.name}`;
      containerEvent(events, pod, container, { type: 'Normal', reason: 'Killing', message });
      if (graceSeconds > 0) await this.#preStop(pod, container, request);
    }
    const usedSeconds = (clock.monotonic() - startMs) / 1000;
    const leftSeconds = graceSeconds <= 0 ? 0 : Math.max(minimumGraceSeconds, Math.ceil(graceSeconds - usedSeconds));
    await runtime.stopContainer(running.id, graceSeconds <= minimumGraceSeconds ? graceSeconds : leftSeconds);
  }

  async #preStop(pod: Pod, container: Container, { running, graceSeconds, podIP }: KillRequest): Promise<void> {
    const handler = container.lifecycle?.preStop;
    if (!handler) return;
    const { runtime, clock, events, log } = this.#options;
    const timeout = new AbortController();
    const cancel = clock.schedule(graceSeconds * 1000, () => timeout.abort());
    try {
      const context = { runtime, clock, pod, container, containerId: running.id, podIP, signal: timeout.signal };
      await runHook(handler, context);
    } catch (error) {
      if (timeout.signal.aborted && isAbort(error)) {
        log.info('a preStop hook did not end within the grace period', { container: container.name });
      } else {
        // What a hook printed may be a secret: neither event nor log repeats it.
        const exitCode = error instanceof HookExitError ? error.exitCode : undefined;
        log.info('a preStop hook failed', { container: container.name, exitCode });
        const message = 'PreStopHook failed';
        containerEvent(events, pod, container, { type: 'Warning', reason: 'FailedPreStopHook', message });
      }
    } finally {
      cancel();
    }
  }
}

import { pause, type Clock } from '../../shared/clock/clock.js';
import { isAbort } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import {
  RuntimeError,
  type ContainerRuntime,
  type ContainerStatus,
  type RuntimeEvent,
  type SandboxStatus,
} from '../runtime/container-runtime.js';
import { formatDuration } from './duration-text.js';

export interface RuntimeWatcherOptions {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly log: Log;
  readonly relistMs?: number;
  /** Something of the pod changed without our doing. */
  readonly onChange: (uid: string) => void;
  /** Everything, at every relist, and how long the engine took to tell it. */
  readonly onRelist: (
    sandboxes: readonly SandboxStatus[],
    containers: readonly ContainerStatus[],
    durationMs: number,
  ) => void;
}

const settleMs = 300;
/** As the original's relist threshold of the PLEG (pod lifecycle event generator), which this is. */
const relistThresholdMs = 180_000;

/** Events of the engine for speed, and a relist now and then for truth: events get lost, and so does the engine. */
export class RuntimeWatcher {
  readonly #options: RuntimeWatcherOptions;
  /** Fingerprint of what each pod had at the last relist. */
  #known = new Map<string, string>();
  /** When the last relist ended well; before the first, when they began. */
  #activeMs: number | undefined;

  constructor(options: RuntimeWatcherOptions) {
    this.#options = options;
  }

  /** Why what runs here is not known any more, if so: the engine may answer some calls and hang on others. */
  get problem(): string | undefined {
    if (this.#activeMs === undefined) return undefined;
    const elapsedMs = this.#options.clock.monotonic() - this.#activeMs;
    if (elapsedMs <= relistThresholdMs) return undefined;
    const threshold = formatDuration(relistThresholdMs);
    return `PLEG is not healthy: pleg was last seen active ${formatDuration(elapsedMs)} ago; threshold is ${threshold}`;
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#activeMs = this.#options.clock.monotonic();
    await Promise.all([this.#events(signal), this.#relists(signal)]);
  }

  async #events(signal: AbortSignal): Promise<void> {
    const { runtime, clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        // Called before the list, so that nothing falls between the two.
        const events = runtime.events(signal);
        await this.#relist();
        for await (const event of events) {
          // Starts are our own doing, and their outcome is looked at anyway.
          if (event.type === 'died') this.#died(event);
          if (event.type === 'removed') this.#options.onChange(event.pod.uid);
        }
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        if (!isUnavailable(error)) log.warn('events of the container runtime ended', { error });
      }
      await pause(clock, 500, signal);
    }
  }

  /**
   * Docker tells of a death before its lists know of it. Asking for the container itself waits for the truth; that of a
   * sandbox is only in the lists, which are right a moment later.
   */
  #died(event: RuntimeEvent): void {
    const { runtime, clock, onChange } = this.#options;
    const look = (): void => onChange(event.pod.uid);
    runtime.containerStatus(event.containerId).then(look, look);
    clock.schedule(settleMs, look);
  }

  async #relists(signal: AbortSignal): Promise<void> {
    const { clock, log, relistMs = 20_000 } = this.#options;
    while (!signal.aborted) {
      try {
        await clock.sleep(relistMs, signal);
        await this.#relist();
      } catch (error) {
        if (signal.aborted) return;
        if (!isUnavailable(error)) log.warn('containers cannot be listed', { error });
      }
    }
  }

  async #relist(): Promise<void> {
    const { runtime, onChange, onRelist } = this.#options;
    const startMs = this.#options.clock.monotonic();
    const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);
    this.#activeMs = this.#options.clock.monotonic();
    onRelist(sandboxes, containers, this.#activeMs - startMs);
    const now = fingerprints(sandboxes, containers);
    for (const uid of new Set([...now.keys(), ...this.#known.keys()])) {
      if (now.get(uid) !== this.#known.get(uid)) onChange(uid);
    }
    this.#known = now;
  }
}

function fingerprints(
  sandboxes: readonly SandboxStatus[],
  containers: readonly ContainerStatus[],
): Map<string, string> {
  const parts = new Map<string, string[]>();
  for (const item of [...sandboxes, ...containers]) {
    const list = parts.get(item.pod.uid) ?? [];
    list.push(`${item.id}=${item.state}`);
    parts.set(item.pod.uid, list);
  }
  return new Map([...parts].map(([uid, list]) => [uid, list.sort().join()]));
}

const isUnavailable = (error: unknown): boolean => error instanceof RuntimeError && error.code === 'Unavailable';

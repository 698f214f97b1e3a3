import type { Clock } from '../../../shared/clock/clock.js';
import type { ContainerConfig, ContainerResources, ContainerStatus, PodIdentity } from '../container-runtime.js';

/** What a hollow container pretends to do. Nothing set: it runs until it is stopped. */
export interface HollowBehaviour {
  /** The process cannot be started; the engine's words. */
  readonly startError?: string;
  /** Ends by itself after this time. */
  readonly exitAfterMs?: number;
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
  /** Lines written to the log at the start. */
  readonly output?: readonly { readonly stream: 'stdout' | 'stderr'; readonly line: string }[];
  /** Time from the stop signal to its end; longer than the grace period means SIGKILL. */
  readonly stopAfterMs?: number;
  /** Exit code after the stop signal. */
  readonly stopExitCode?: number;
  /** Writes what comes on stdin to stdout, and ends when stdin ends. */
  readonly echoesStdin?: boolean;
}

export interface HollowLogEntry {
  readonly atMs: number;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

const SIGKILLED = 137;
const SIGTERMED = 143;
/** Older entries of a log are dropped, as a rotated file is. */
const MAX_LOG_ENTRIES = 1000;

/** One pretended container: a small state machine created -> running -> exited, driven by the clock. */
export class HollowContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly pod: PodIdentity;
  readonly config: ContainerConfig;
  readonly behaviour: HollowBehaviour;
  readonly log: HollowLogEntry[] = [];
  readonly #clock: Clock;
  readonly #onChange: (type: 'started' | 'died' | 'oom') => void;
  readonly #watchers = new Set<() => void>();
  readonly #createdAtMs: number;
  #resources: ContainerResources;
  #startedAtMs: number | undefined;
  #end: { atMs: number; exitCode: number; oomKilled: boolean; error?: string } | undefined;
  #cancelExit: (() => void) | undefined;

  constructor(
    identity: { id: string; sandboxId: string; pod: PodIdentity },
    config: ContainerConfig,
    behaviour: HollowBehaviour,
    host: { clock: Clock; onChange: (type: 'started' | 'died' | 'oom') => void },
  ) {
    this.id = identity.id;
    this.sandboxId = identity.sandboxId;
    this.pod = identity.pod;
    this.config = config;
    this.#resources = config.resources;
    this.behaviour = behaviour;
    this.#clock = host.clock;
    this.#onChange = host.onChange;
    this.#createdAtMs = host.clock.now();
  }

  get state(): 'created' | 'running' | 'exited' {
    if (this.#end) return 'exited';
    return this.#startedAtMs === undefined ? 'created' : 'running';
  }

  start(): void {
    const { startError, output, exitAfterMs, exitCode, oomKilled } = this.behaviour;
    if (startError !== undefined) {
      this.#end = { atMs: this.#createdAtMs, exitCode: 127, oomKilled: false, error: startError };
      return;
    }
    this.#startedAtMs = this.#clock.now();
    for (const { stream, line } of output ?? []) this.write(stream, `${line}\n`);
    this.#onChange('started');
    if (exitAfterMs === undefined) return;
    this.#cancelExit = this.#clock.schedule(exitAfterMs, () => this.exit(exitCode ?? 0, oomKilled ?? false));
  }

  exit(exitCode: number, oomKilled = false): void {
    if (this.state !== 'running') return;
    this.#cancelExit?.();
    this.#end = { atMs: this.#clock.now(), exitCode, oomKilled };
    if (oomKilled) this.#onChange('oom');
    this.#onChange('died');
    this.#wake();
  }

  /** What it may use from now on. */
  update(resources: ContainerResources): void {
    this.#resources = { ...this.#resources, ...resources };
  }

  /** The stop signal now, SIGKILL after the time. */
  async stop(timeoutMs: number): Promise<void> {
    const { stopAfterMs = 0, stopExitCode = SIGTERMED } = this.behaviour;
    const graceful = timeoutMs > 0 && stopAfterMs <= timeoutMs;
    const waitMs = graceful ? stopAfterMs : timeoutMs;
    if (waitMs > 0) {
      const cancel = this.#clock.schedule(waitMs, () => this.exit(graceful ? stopExitCode : SIGKILLED));
      await this.exited();
      cancel();
    } else {
      this.exit(graceful ? stopExitCode : SIGKILLED);
    }
  }

  write(stream: 'stdout' | 'stderr', text: string): void {
    this.log.push({ atMs: this.#clock.now(), stream, text });
    if (this.log.length > MAX_LOG_ENTRIES) this.log.shift();
    this.#wake();
  }

  /** Resolves at the next log entry or at the end, or on abort. */
  changed(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#watchers.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#watchers.add(wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  async exited(signal?: AbortSignal): Promise<void> {
    while (this.state === 'running' && !signal?.aborted) await this.changed(signal);
  }

  status(): ContainerStatus {
    const { id, sandboxId, pod, config } = this;
    const started = this.#end?.error === undefined ? this.#startedAtMs : this.#createdAtMs;
    return {
      id,
      sandboxId,
      pod,
      name: config.name,
      attempt: config.attempt,
      state: this.state,
      image: config.image,
      imageId: config.image,
      createdAtMs: this.#createdAtMs,
      oomKilled: this.#end?.oomKilled ?? false,
      annotations: config.annotations,
      ...(this.state === 'running' ? { resources: this.#resources } : {}),
      ...(started === undefined ? {} : { startedAtMs: started }),
      ...(this.#end ? { finishedAtMs: this.#end.atMs, exitCode: this.#end.exitCode } : {}),
      ...(this.#end?.error === undefined ? {} : { error: this.#end.error }),
    };
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

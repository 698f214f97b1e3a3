import { pause, type Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { ContainerRuntime, RuntimeVersion } from '../runtime/container-runtime.js';

export interface RuntimeMonitorOptions {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly log: Log;
  readonly periodMs?: number;
  /** The engine went away or came back. */
  readonly onChange: () => void;
}

/** As the original's threshold of the runtime's status. */
const answerMs = 30_000;

/** Asks the engine every few seconds whether it is there. What it says when it is not is told once, with the remedy. */
export class RuntimeMonitor {
  readonly #options: RuntimeMonitorOptions;
  #version: RuntimeVersion | undefined;
  #problem: string | undefined = 'the container engine has not been asked yet';
  #hasAnswer = false;

  constructor(options: RuntimeMonitorOptions) {
    this.#options = options;
  }

  /** The last version seen, also while the engine is away. */
  get version(): RuntimeVersion | undefined {
    return this.#version;
  }

  /** Why the engine cannot be used, if it cannot. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Whether the problem, or that there is none, is known and not only assumed. */
  get hasAnswer(): boolean {
    return this.#hasAnswer;
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, periodMs = 2_000 } = this.#options;
    while (!signal.aborted) {
      await this.check(signal);
      await pause(clock, periodMs, signal);
    }
  }

  async check(signal?: AbortSignal): Promise<void> {
    const before = this.#problem;
    try {
      this.#version = await this.#ask(signal);
      this.#problem = undefined;
    } catch (error) {
      if (signal?.aborted) return;
      this.#problem = error instanceof Error ? error.message : String(error);
    }
    const isFirst = !this.#hasAnswer;
    this.#hasAnswer = true;
    if (!isFirst && (before === undefined) === (this.#problem === undefined)) return;
    if (this.#problem !== undefined) this.#options.log.error('the container engine is away', { why: this.#problem });
    else this.#options.log.info('the container engine answers', { version: this.#version?.version });
    this.#options.onChange();
  }

  async #ask(signal: AbortSignal | undefined): Promise<RuntimeVersion> {
    const { runtime, clock } = this.#options;
    const limit = new AbortController();
    const tooLong = new Error(`the container engine did not answer within ${answerMs / 1000} s`);
    const cancel = clock.schedule(answerMs, () => limit.abort(tooLong));
    try {
      return await runtime.version(signal ? AbortSignal.any([signal, limit.signal]) : limit.signal);
    } finally {
      cancel();
    }
  }
}

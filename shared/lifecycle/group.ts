import { setMaxListeners } from 'node:events';

/** A part of a process that is started and stopped. */
export interface Member {
  readonly name: string;
  /** Resolves when the part serves. */
  start(): Promise<void> | void;
  /** Resolves when nothing of it is left. Called once, and only after start was called. */
  stop(): Promise<void> | void;
  /** Rejects when the part fails after its start; never resolves earlier than stop. Absent: it cannot fail. */
  readonly failed?: Promise<never>;
}

/**
 * Starts its members in the order in which they were added (servers, caches, workers) and stops them in reverse, once.
 * When one fails to start, those that were started are stopped and the failure is thrown.
 */
export class Group {
  readonly #members: Member[] = [];
  readonly #started: Member[] = [];
  #stopping: Promise<void> | undefined;

  add(...members: Member[]): this {
    this.#members.push(...members);
    return this;
  }

  /** Runs until the signal aborts or a member fails; then stops everything. Throws what failed. */
  async run(signal: AbortSignal): Promise<void> {
    let onAbort = (): void => undefined;
    try {
      const aborted = new Promise<void>((resolve) => {
        onAbort = () => resolve();
        signal.addEventListener('abort', onAbort, { once: true });
      });
      if (signal.aborted) return;
      if ((await Promise.race([this.start(signal).then(() => 'started'), aborted])) !== 'started') return;
      await Promise.race([aborted, ...this.#started.flatMap((member) => member.failed ?? [])]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      await this.stop();
    }
  }

  /** Starts all members, one after the other; stops early when the signal aborts. */
  async start(signal?: AbortSignal): Promise<void> {
    for (const member of this.#members) {
      if (signal?.aborted || this.#stopping) return;
      this.#started.push(member);
      await member.start();
    }
  }

  /** Stops what was started, in reverse. Every member gets its stop even when another's fails; the first failure is thrown. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const failures: unknown[] = [];
    for (let member = this.#started.pop(); member; member = this.#started.pop()) {
      try {
        await member.stop();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** A member that is one loop: `run` goes on until its signal aborts. Ending or failing earlier fails the group. */
export function task(name: string, run: (signal: AbortSignal) => Promise<void>): Member {
  const controller = new AbortController();
  // One signal for all that the task does; Node would warn of more than ten listeners.
  setMaxListeners(0, controller.signal);
  let running: Promise<void> = Promise.resolve();
  let fail: (reason: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined); // told through the group; without one listening it must not end the process
  return {
    name,
    failed,
    start: () => {
      running = run(controller.signal).then(
        () => {
          if (!controller.signal.aborted) fail(new Error(`${name} ended unexpectedly`));
        },
        (error: unknown) => {
          if (!controller.signal.aborted) fail(error);
        },
      );
    },
    stop: async () => {
      controller.abort();
      await running;
    },
  };
}

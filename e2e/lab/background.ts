import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './host.js';

const endTimeoutMs = 30_000;
let counter = 0;

/** A program of the tests that runs inside a host's network and prints a report of type R when it is ended. */
export class Background<R> {
  readonly #child: ChildProcess;
  readonly #log: string;

  private constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.#log = log;
  }

  static start<R>(host: Host, argv: readonly string[]): Background<R> {
    const log = `background-${counter++}.log`;
    return new Background(host.spawn(argv, log), join(host.directory, log));
  }

  /** Ends it and resolves with its report; throws what it printed when that is none. */
  async end(): Promise<R> {
    const output = (): string => readFileSync(this.#log, 'utf8');
    if (this.#child.exitCode !== null) throw new Error(`ended by itself: ${output()}`);
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), endTimeoutMs);
    await ended;
    clearTimeout(timer);
    const line = output().trimEnd().split('\n').at(-1) ?? '';
    if (!line.startsWith('{')) throw new Error(`no report: ${output()}`);
    return JSON.parse(line) as R;
  }

  /** Ends it after a failed test. */
  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

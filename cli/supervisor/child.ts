import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessSpec } from '../cluster/processes.js';

const firstDelayMs = 100;
const longestDelayMs = 10_000;
/** A process that ran so long has its back-off forgotten. */
const steadyMs = 30_000;
const killAfterMs = 20_000;

type State =
  | { readonly is: 'stopped' }
  | { readonly is: 'running'; readonly process: ChildProcess; readonly sinceMs: number }
  | { readonly is: 'waiting'; readonly timer: NodeJS.Timeout };

/** Keeps one program running: starts it again, ever later, when it ends, until `stop`. Its output goes to a file. */
export class Child {
  readonly spec: ProcessSpec;
  readonly #programs: string;
  readonly #logs: string;
  readonly #onChange: () => void;
  #state: State = { is: 'stopped' };
  #delayMs = firstDelayMs;
  #isStopping = false;
  restarts = 0;

  constructor(spec: ProcessSpec, options: { programs: string; logs: string; onChange: () => void }) {
    this.spec = spec;
    this.#programs = options.programs;
    this.#logs = options.logs;
    this.#onChange = options.onChange;
  }

  get pid(): number | undefined {
    return this.#state.is === 'running' ? this.#state.process.pid : undefined;
  }

  start(): void {
    try {
      this.#spawn();
    } catch {
      // No log file can be made, on a full disk say: tried again later, like a program that ends at once.
      this.#again();
    }
    this.#onChange();
  }

  #spawn(): void {
    // Append mode: a truncated log goes on at its beginning.
    const log = openSync(join(this.#logs, `${this.spec.name}.log`), 'a', 0o600);
    try {
      const child = spawn(
        process.execPath,
        ['--enable-source-maps', join(this.#programs, `${this.spec.program}.js`), ...this.spec.args],
        { stdio: ['ignore', log, log] },
      );
      this.#state = { is: 'running', process: child, sinceMs: performance.now() };
      child.once('error', () => this.#ended());
      child.once('exit', () => this.#ended());
    } finally {
      closeSync(log);
    }
  }

  #ended(): void {
    if (this.#state.is !== 'running') return;
    const ranMs = performance.now() - this.#state.sinceMs;
    if (ranMs > steadyMs) this.#delayMs = firstDelayMs;
    if (this.#isStopping) this.#state = { is: 'stopped' };
    else this.#again();
    this.#onChange();
  }

  #again(): void {
    this.restarts++;
    this.#state = { is: 'waiting', timer: setTimeout(() => this.start(), this.#delayMs) };
    this.#delayMs = Math.min(this.#delayMs * 2, longestDelayMs);
  }

  /** SIGTERM, then SIGKILL for one that does not end. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const state = this.#state;
    if (state.is === 'waiting') clearTimeout(state.timer);
    if (state.is !== 'running') {
      this.#state = { is: 'stopped' };
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => state.process.kill('SIGKILL'), killAfterMs);
      state.process.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      state.process.kill('SIGTERM');
    });
  }
}

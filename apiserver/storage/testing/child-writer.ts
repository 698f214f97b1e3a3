import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../../shared/clock/eventually.js';
import type { Storage } from '../storage.js';

const program = fileURLToPath(new URL('./writer.js', import.meta.url));

/** A wrapper for a {@link ChildWriter}: the syncs that `when` counts out (strace's words) fail as on a broken disk. */
export function failingSyncs(when: string): readonly string[] {
  const strace = 'env UV_THREADPOOL_SIZE=1 strace -f -qq -o /dev/null --seccomp-bpf -e trace=fdatasync';
  return [...strace.split(' '), '-e', `inject=fdatasync:error=EIO:when=${when}`];
}

/** A process that writes to a store, and what it was told. */
export class ChildWriter {
  readonly acknowledged = new Map<string, number>();
  readonly refused: string[] = [];
  readonly #child: ChildProcess;
  #errors = '';

  /** `wrapper` is a command that runs the writer, such as strace with its flags. */
  constructor(directory: string, prefix: string, wrapper: readonly string[] = []) {
    const args = [...wrapper, process.execPath, program, directory, prefix];
    this.#child = spawn(args.shift() ?? '', args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#child.stderr?.on('data', (data: Buffer) => (this.#errors += data.toString()));
    if (!this.#child.stdout) throw new Error('no standard output');
    createInterface(this.#child.stdout).on('line', (line) => {
      const [word, key = '', revision] = line.split(' ');
      if (word === 'ack') this.acknowledged.set(key, Number(revision));
      else if (word === 'refused') this.refused.push(line.slice('refused '.length));
    });
  }

  /** Waits until this many more writes are acknowledged. */
  async progress(count: number, timeoutMs = 20_000): Promise<void> {
    const wanted = this.acknowledged.size + count;
    await eventually(() => {
      assert.equal(this.#child.exitCode, null, `the writer has ended: ${this.#errors}`);
      assert.ok(this.acknowledged.size >= wanted, `${this.acknowledged.size} of ${wanted} writes: ${this.#errors}`);
    }, timeoutMs);
  }

  /** kill -9, the wrapper included. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const closed = once(this.#child, 'close');
    process.kill(-this.#child.pid, 'SIGKILL');
    await closed;
  }

  /** Each acknowledged write is in the store, whole and at its revision. */
  async verify(storage: Storage): Promise<void> {
    await verifyAcknowledged(storage, this.acknowledged);
  }
}

/** Each acknowledged write is there, whole; one key of each writer may have been written once more than it was told. */
export async function verifyAcknowledged(storage: Storage, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  for (const [key, revision] of acknowledged) {
    const stored = await storage.get(key);
    const isThere = key.endsWith('/last') ? (stored?.revision ?? 0) >= revision : stored?.revision === revision;
    assert.ok(stored && isThere, `${key} was acknowledged with revision ${revision}, and is at ${stored?.revision}`);
    assert.equal(stored.value.toString(), `${key} ${stored.revision} ${'x'.repeat(1000)}`);
  }
}

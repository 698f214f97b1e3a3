import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ReadingAnswer, ReadingRequest } from './reader.js';

const program = fileURLToPath(new URL('./reader.js', import.meta.url));

/** Reads stores in a process of its own, and in a new one after that was ended by LevelDB. */
export class ChildReader {
  #child: ChildProcess | undefined;

  /** True when all reads as it should; false when the store refuses, or takes its process with it. Throws when it lies. */
  async serves(request: ReadingRequest): Promise<boolean> {
    this.#child ??= fork(program, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const child = this.#child;
    const ended = once(child, 'exit').then(([code, signal]: unknown[]) => ({ code, signal }));
    child.send(request);
    const answer = await Promise.race([once(child, 'message').then(([given]) => given as ReadingAnswer), ended]);
    if ('serves' in answer) return answer.serves;
    if ('lie' in answer) throw new Error(`the store in ${request.directory} lies: ${answer.lie}`);
    this.#child = undefined;
    if (answer.signal !== 'SIGABRT') throw new Error(`the reader ended with ${String(answer.code ?? answer.signal)}`);
    return false;
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  }
}

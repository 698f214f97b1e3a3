import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Terminal } from '../context.js';
import type { FoundPlugin } from './plugins.js';

/**
 * Runs a plugin in our place: with our streams and environment and without a word of ours. Resolves with its exit code, that of a shell
 * where a signal ended it.
 */
export async function runPlugin({ path, args }: FoundPlugin, { env, signal, stdin }: Terminal): Promise<number> {
  const child = spawn(path, [...args], { env: { ...env }, stdio: 'inherit' });
  // From a terminal the plugin gets the interrupt itself, and decides what it means.
  const onAbort = (): void => void (stdin.isTTY || child.kill('SIGTERM'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await new Promise<number>((done, fail) => {
      child.once('error', fail);
      child.once('close', (code, by) => done(code ?? 128 + (by ? constants.signals[by] : 0)));
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

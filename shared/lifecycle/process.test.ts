import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { runProcess, type ProcessLike } from './process.js';

class FakeProcess extends EventEmitter implements ProcessLike {
  exitCode: number | undefined;
  text = '';
  readonly exits: number[] = [];
  readonly stderr = { write: (text: string): void => void (this.text += text) };
  exit(code: number): void {
    this.exits.push(code);
  }
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()));

test('SIGTERM aborts, and an orderly end is code 0', async () => {
  const host = new FakeProcess();
  const running = runProcess(untilAborted, host);
  host.emit('SIGTERM');
  await running;
  assert.deepEqual([host.exitCode, host.text, host.exits], [0, '', []]);
  assert.equal(host.listenerCount('SIGTERM'), 0);
});

test('a failure is one sentence on stderr and code 1', async () => {
  const host = new FakeProcess();
  await runProcess(() => Promise.reject(new Error('port 1 is taken')), host);
  assert.deepEqual([host.exitCode, host.text], [1, 'port 1 is taken\n']);
});

test('a second signal ends the process at once', async () => {
  const host = new FakeProcess();
  let finish: () => void = () => undefined;
  const running = runProcess(() => new Promise<void>((resolve) => (finish = resolve)), host);
  host.emit('SIGINT');
  host.emit('SIGINT');
  assert.deepEqual(host.exits, [1]);
  finish();
  await running;
});

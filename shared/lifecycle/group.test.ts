import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Group, task, type Member } from './group.js';

function member(name: string, log: string[], broken?: 'start' | 'stop'): Member {
  const act = (what: 'start' | 'stop'): void => {
    log.push(`${what} ${name}`);
    if (broken === what) throw new Error(`${name} cannot ${what}`);
  };
  return { name, start: () => act('start'), stop: () => act('stop') };
}

test('starts in order and stops in reverse, once', async () => {
  const log: string[] = [];
  const abort = new AbortController();
  const group = new Group().add(member('server', log), member('cache', log), {
    name: 'worker',
    start: () => {
      log.push('start worker');
      abort.abort();
    },
    stop: () => void log.push('stop worker'),
  });
  await group.run(abort.signal);
  await group.stop();
  assert.deepEqual(log, ['start server', 'start cache', 'start worker', 'stop worker', 'stop cache', 'stop server']);
});

test('a failed start stops what was started, and is thrown', async () => {
  const log: string[] = [];
  const group = new Group().add(member('a', log), member('b', log, 'start'), member('c', log));
  await assert.rejects(group.run(new AbortController().signal), { message: 'b cannot start' });
  assert.deepEqual(log, ['start a', 'start b', 'stop b', 'stop a']);
});

test('every member gets its stop even when one fails to stop', async () => {
  const log: string[] = [];
  const group = new Group().add(member('a', log), member('b', log, 'stop'));
  await group.start();
  await assert.rejects(group.stop(), { message: 'b cannot stop' });
  assert.deepEqual(log.slice(2), ['stop b', 'stop a']);
});

test('a task that breaks ends the group with its error', async () => {
  const log: string[] = [];
  const group = new Group().add(
    member('a', log),
    task('loop', () => Promise.reject(new Error('broken'))),
  );
  await assert.rejects(group.run(new AbortController().signal), { message: 'broken' });
  assert.deepEqual(log, ['start a', 'stop a']);
});

test('a task is aborted and awaited on stop', async () => {
  let ended = false;
  const group = new Group().add(
    task('loop', async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      ended = true;
    }),
  );
  await group.start();
  await group.stop();
  assert.ok(ended);
});

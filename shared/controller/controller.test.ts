import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../clock/eventually.js';
import { FakeClock } from '../clock/fake-clock.js';
import { TerminalError } from '../errors/status-error.js';
import { silentLog } from '../log/log.js';
import { MetricsRegistry } from '../metrics/registry.js';
import { Controller, type ControllerOptions } from './controller.js';

function start(options: Partial<ControllerOptions> & Pick<ControllerOptions, 'reconcile'>): {
  clock: FakeClock;
  controller: Controller;
  metrics: MetricsRegistry;
  stop: () => Promise<void>;
} {
  const clock = new FakeClock();
  const metrics = new MetricsRegistry();
  const controller = new Controller({ name: 'test', ...options }, { clock, log: silentLog, metrics });
  const abort = new AbortController();
  const running = controller.run(abort.signal);
  return {
    clock,
    controller,
    metrics,
    stop: () => {
      abort.abort();
      return running;
    },
  };
}

test('a key that fails is tried again with back-off until it succeeds', async () => {
  const times: number[] = [];
  const { clock, controller, metrics, stop } = start({
    reconcile: () => {
      times.push(clock.monotonic());
      return times.length < 4 ? Promise.reject(new Error('not yet')) : Promise.resolve();
    },
  });
  controller.queue.add('a');
  await clock.advance(1000);
  assert.deepEqual(times, [0, 5, 15, 35]);
  assert.equal(controller.queue.retries('a'), 0);
  assert.match(metrics.render(), /controller_runtime_reconcile_total\{controller="test",result="requeue"\} 3\n/);
  await stop();
});

test('a TerminalError is not tried again', async () => {
  let calls = 0;
  const { clock, controller, stop } = start({
    reconcile: () => {
      calls++;
      return Promise.reject(new TerminalError('hopeless'));
    },
  });
  controller.queue.add('a');
  await clock.advance(100_000);
  assert.equal(calls, 1);
  await stop();
});

test('a result can ask for another look', async () => {
  let calls = 0;
  const { clock, controller, stop } = start({
    reconcile: () => Promise.resolve(++calls === 1 ? { requeueAfterMs: 500 } : undefined),
  });
  controller.queue.add('a');
  await clock.advance(499);
  assert.equal(calls, 1);
  await clock.advance(1);
  assert.equal(calls, 2);
  await stop();
});

test('no key is worked on before the caches are there', async () => {
  let sync: () => void = () => undefined;
  const synced = new Promise<void>((resolve) => {
    sync = resolve;
  });
  const keys: string[] = [];
  const { clock, controller, stop } = start({
    informers: [{ waitForSync: () => synced }],
    reconcile: (key) => Promise.resolve(void keys.push(key)),
  });
  controller.queue.add('a');
  await clock.advance(1000);
  assert.deepEqual(keys, []);
  sync();
  await eventually(() => assert.deepEqual(keys, ['a']));
  await stop();
});

test('stopping aborts the work in hand and waits for its end', async () => {
  let ended = false;
  const { clock, controller, stop } = start({
    reconcile: async (_, signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      await Promise.resolve();
      ended = true;
      signal.throwIfAborted();
    },
  });
  controller.queue.add('a');
  await clock.advance(0);
  await stop();
  assert.ok(ended);
});

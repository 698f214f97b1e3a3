import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { Controller } from '../../shared/controller/controller.js';
import { silentLog } from '../../shared/log/log.js';
import { MetricsRegistry } from '../../shared/metrics/registry.js';
import { RuntimeError } from '../runtime/container-runtime.js';
import { podOf } from '../testing/pod-builder.js';
import { newRecord, type PodRecord } from './pod-record.js';
import type { PodSyncer } from './pod-syncer.js';
import type { PodTerminator } from './pod-terminator.js';
import { type NodeGate, PodWorker } from './pod-worker.js';

interface World {
  readonly clock: FakeClock;
  readonly record: PodRecord;
  readonly controller: Controller;
  /** Seconds since the start at which the pod was synced or ended. */
  readonly syncedAt: number[];
  readonly endedAt: number[];
  readonly events: string[];
  readonly stop: () => Promise<void>;
}

/** A pod whose sandbox cannot be made; every attempt wakes the pod, as the engine's events about it do. */
function failingWorld(error: () => Error | undefined, gate: Partial<NodeGate> = {}): World {
  const clock = new FakeClock();
  const record = newRecord('uid-1', podOf(), true);
  const syncedAt: number[] = [];
  const endedAt: number[] = [];
  const events: string[] = [];
  const syncer = {
    sync: async () => {
      syncedAt.push(clock.monotonic() / 1000);
      const failure = error();
      if (!failure) return { finished: false };
      controller.queue.add('uid-1');
      clock.schedule(300, () => controller.queue.add('uid-1'));
      throw failure;
    },
  };
  const terminator = { terminate: async () => void endedAt.push(clock.monotonic() / 1000) };
  const worker = new PodWorker({
    clock,
    log: silentLog,
    events: { event: (_pod: unknown, _type: string, reason: string) => void events.push(reason) } as never,
    gate: { admit: () => undefined, isRuntimeReady: () => true, networkProblem: () => undefined, ...gate },
    syncer: syncer as unknown as PodSyncer,
    terminator: terminator as unknown as PodTerminator,
    record: () => record,
    forget: () => undefined,
  });
  const reconcile = (uid: string, signal: AbortSignal): ReturnType<PodWorker['reconcile']> =>
    worker.reconcile(uid, signal);
  const controller: Controller = new Controller(
    { name: 'pod', reconcile },
    { clock, log: silentLog, metrics: new MetricsRegistry() },
  );
  const end = new AbortController();
  const done = controller.run(end.signal);
  controller.queue.add('uid-1');
  const stop = (): Promise<void> => (end.abort(), done);
  return { clock, record, controller, syncedAt, endedAt, events, stop };
}

const failuresOf = (record: PodRecord): number => record.retry?.failures ?? 0;
const sandboxFailure = (): Error => new RuntimeError('StartFailed', 'no sandbox for you');

test('a sandbox that fails to start is tried again with growing pauses, whatever the events of the engine wake', async () => {
  const { clock, syncedAt, stop } = failingWorld(sandboxFailure);
  await clock.advance(100_000);
  assert.deepEqual(syncedAt, [0, 0.2, 0.6, 1.4, 3, 6.2, 12.6, 25.4, 51, 81]);
  await stop();
});

test('a pod that is deleted, or whose spec changes, does not wait for the pause to end; a success forgets the failures', async () => {
  let failure: Error | undefined = sandboxFailure();
  const { clock, record, controller, syncedAt, endedAt, stop } = failingWorld(() => failure);
  await clock.advance(30_000);
  const attempts = syncedAt.length;
  assert.ok(record.pod);
  record.pod = { ...record.pod, metadata: { ...record.pod.metadata, generation: 2 } };
  controller.queue.add('uid-1');
  await clock.advance(10);
  assert.equal(syncedAt.length, attempts + 1, 'another spec is tried at once');
  failure = undefined;
  await clock.advance(400);
  assert.equal(failuresOf(record), 0);
  failure = sandboxFailure();
  controller.queue.add('uid-1');
  await clock.advance(0);
  assert.equal(failuresOf(record), 1);
  record.pod = { ...record.pod, metadata: { ...record.pod.metadata, deletionTimestamp: '2026-01-01T00:01:00Z' } };
  controller.queue.add('uid-1');
  await clock.advance(0);
  assert.deepEqual(endedAt, [30.41]);
  await stop();
});

test('until the engine is known to answer a pod waits in silence, for its network with an event', async () => {
  let isRuntimeReady = false;
  let problem: string | undefined = 'no podCIDR yet';
  const { clock, syncedAt, events, stop } = failingWorld(() => undefined, {
    isRuntimeReady: () => isRuntimeReady,
    networkProblem: () => problem,
  });
  await clock.advance(1_900);
  assert.deepEqual([syncedAt, events], [[], []]);
  isRuntimeReady = true;
  await clock.advance(200);
  assert.deepEqual([syncedAt, events], [[], ['NetworkNotReady']]);
  problem = undefined;
  await clock.advance(500);
  assert.equal(syncedAt.length, 1);
  await stop();
});

test('while the engine is away a pod is looked at every second', async () => {
  const { clock, syncedAt, stop } = failingWorld(() => new RuntimeError('Unavailable', 'away'));
  await clock.advance(2_100);
  assert.deepEqual(syncedAt, [0, 1, 2]);
  await stop();
});

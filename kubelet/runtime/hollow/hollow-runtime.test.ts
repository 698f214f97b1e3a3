import assert from 'node:assert/strict';
import { test } from 'node:test';

import { systemClock } from '../../../shared/clock/clock.js';
import { FakeClock } from '../../../shared/clock/fake-clock.js';
import type { ContainerConfig, RuntimeError, SandboxConfig } from '../container-runtime.js';
import { programs, runtimeSuite } from '../runtime-suite.js';
import { AddressPool } from './address-pool.js';
import { HollowRuntime } from './hollow-runtime.js';

runtimeSuite('HollowRuntime', async () => {
  const behaviours = new Map(Object.values(programs).map((program) => [program.command.join(' '), program.behaviour]));
  const runtime = new HollowRuntime({
    clock: systemClock,
    images: ['suite/busybox:1'],
    behaviour: (config) => behaviours.get(config.command?.join(' ') ?? '') ?? {},
  });
  return { runtime, image: 'suite/busybox:1', podCIDR: '10.250.1.0/24', close: () => runtime.close() };
});

const sandbox = {
  pod: { namespace: 'default', name: 'web', uid: 'u-1' },
  attempt: 0,
  hostNetwork: true,
  annotations: {},
} as unknown as SandboxConfig;
const container = { name: 'main', attempt: 0, image: 'web:1', annotations: {} } as unknown as ContainerConfig;

test('latencies and exits follow the given clock', async () => {
  const clock = new FakeClock();
  const runtime = new HollowRuntime({
    clock,
    images: ['web:1'],
    latencies: { sandboxMs: 100, startMs: 50 },
    behaviour: () => ({ exitAfterMs: 1000, exitCode: 137, oomKilled: true }),
  });
  const running = runtime.runPodSandbox(sandbox);
  await clock.advance(100);
  const id = await runtime.createContainer(await running, container, sandbox);
  const started = runtime.startContainer(id);
  await clock.advance(50);
  await started;
  await clock.advance(999);
  assert.equal((await runtime.containerStatus(id))?.state, 'running');
  await clock.advance(1);
  const status = await runtime.containerStatus(id);
  assert.deepEqual([status?.state, status?.exitCode, status?.oomKilled], ['exited', 137, true]);
  assert.equal((status?.finishedAtMs ?? 0) - (status?.startedAtMs ?? 0), 1000);
});

test('while the engine is away every verb and the events throw Unavailable', async () => {
  const runtime = new HollowRuntime({ clock: new FakeClock(), images: ['web:1'] });
  const events = runtime.events(new AbortController().signal);
  runtime.setAway(true);
  const isUnavailable = (error: RuntimeError): boolean => error.code === 'Unavailable';
  await assert.rejects(runtime.listContainers(), isUnavailable);
  await assert.rejects(events[Symbol.asyncIterator]().next(), isUnavailable);
  runtime.setAway(false);
  assert.deepEqual(await runtime.listContainers(), []);
});

test('an address pool hands out each address once and takes it back', () => {
  const pool = new AddressPool('10.1.2.0/29');
  const taken = Array.from({ length: 5 }, () => pool.take());
  assert.deepEqual(taken, ['10.1.2.2', '10.1.2.3', '10.1.2.4', '10.1.2.5', '10.1.2.6']);
  assert.throws(() => pool.take(), /no free address/);
  pool.give('10.1.2.4');
  assert.equal(pool.take(), '10.1.2.4');
});

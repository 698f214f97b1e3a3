import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { eventually } from '../../../shared/clock/eventually.js';
import { FakeClock } from '../../../shared/clock/fake-clock.js';
import { silentLog } from '../../../shared/log/log.js';
import { SilentEngine } from '../../testing/silent-engine.js';
import type { RuntimeError } from '../container-runtime.js';
import { DockerRuntime } from './docker-runtime.js';

let engine: SilentEngine;
let clock: FakeClock;
let runtime: DockerRuntime;
beforeEach(async () => {
  engine = await SilentEngine.open();
  clock = new FakeClock();
  runtime = runtimeOf();
});
afterEach(async () => {
  await runtime.close();
  await engine.close();
});

function runtimeOf(requestTimeoutMs?: number): DockerRuntime {
  const limit = requestTimeoutMs === undefined ? {} : { requestTimeoutMs };
  return new DockerRuntime({ cluster: 'c', node: 'n', host: engine.host, clock, log: silentLog, ...limit });
}

const asked = (count: number): Promise<void> =>
  eventually(() => assert.equal(engine.requests.length, count, engine.requests.join()));

const isSilent =
  (what: string, seconds: number) =>
  (error: RuntimeError): boolean => {
    const why = `did not answer "${what}" within ${seconds} s; if it stays so, restart it with: systemctl restart docker`;
    assert.equal(error.message, `the Docker Engine at ${engine.host} ${why}`);
    return error.code === 'Unavailable';
  };

test('an engine that never answers costs a call two minutes, and the error names the call', async () => {
  const calls = [
    assert.rejects(runtime.listContainers(), isSilent('list containers', 120)),
    assert.rejects(runtime.stopContainer('x', 0), isSilent('stop container', 120)),
    assert.rejects(runtime.removeContainer('x'), isSilent('remove container', 120)),
    assert.rejects(runtime.imageStatus('app:1'), isSilent('inspect image', 120)),
    assert.rejects(runtime.exec('x', { command: ['true'], tty: false }), isSilent('create exec', 120)),
  ];
  await asked(5);
  await clock.advance(120_000);
  await Promise.all(calls);
  assert.equal(clock.pending, 0);
});

test('a stop may take its grace period on top', async () => {
  let isOver = false;
  const stop = assert.rejects(runtime.stopContainer('x', 30), isSilent('stop container', 150));
  void stop.then(() => (isOver = true));
  await asked(1);
  await clock.advance(149_000);
  assert.equal(isOver, false);
  await clock.advance(1_000);
  await stop;
});

test('the limit can be shorter, and counts the wait for a turn: calls behind hanging ones do not add up', async () => {
  runtime = runtimeOf(20_000);
  const calls = Array.from({ length: 20 }, (_, index) =>
    assert.rejects(runtime.removeContainer(`c${index}`), isSilent('remove container', 20)),
  );
  await asked(8);
  await clock.advance(20_000);
  await Promise.all(calls);
});

test('calls that hang do not keep the question whether the engine is there from being asked', async () => {
  const info = { ServerVersion: '20.10.24', OperatingSystem: 'x', KernelVersion: 'x', Architecture: 'x' };
  engine.answers = (path) => (path.endsWith('/_ping') ? 'OK' : path.endsWith('/info') ? info : undefined);
  const calls = Array.from({ length: 9 }, (_, index) =>
    assert.rejects(runtime.removeContainer(`c${index}`), isSilent('remove container', 120)),
  );
  await asked(8);
  assert.equal((await runtime.version()).version, '20.10.24');
  await clock.advance(120_000);
  await Promise.all(calls);
});

test('an abort of the caller ends the wait at once, with its own reason', async () => {
  const stop = new AbortController();
  const call = assert.rejects(runtime.version(stop.signal), /enough/);
  await asked(1);
  stop.abort(new Error('enough'));
  await call;
});

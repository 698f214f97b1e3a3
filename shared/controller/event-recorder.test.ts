import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../api/generated/types.js';
import { startScriptedServer } from '../client/testing/scripted-server.js';
import { eventually } from '../clock/eventually.js';
import { FakeClock } from '../clock/fake-clock.js';
import { silentLog } from '../log/log.js';
import { ApiEventRecorder } from './event-recorder.js';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '7', creationTimestamp: '' },
};

test('the first occurrence is created, the next ones are counted, and one whose Event is gone is created anew', async () => {
  let isGone = false;
  const server = await startScriptedServer((request) => {
    if (request.method === 'PATCH' && isGone) request.json(404, { kind: 'Status', code: 404, reason: 'NotFound' });
    else request.json(200, {});
  });
  const clock = new FakeClock();
  const recorder = new ApiEventRecorder({
    client: server.client(),
    clock,
    log: silentLog,
    component: 'test',
    host: 'h',
  });
  for (let i = 0; i < 3; i++) recorder.event(pod, 'Warning', 'BackOff', 'again');
  await recorder.flush();
  isGone = true;
  recorder.event(pod, 'Warning', 'BackOff', 'again');
  await recorder.flush();
  assert.deepEqual(
    server.requests.map(({ method }) => method),
    ['POST', 'PATCH', 'PATCH', 'PATCH', 'POST'],
  );
  const created = JSON.parse(server.requests[0]?.body ?? '') as Event;
  assert.match(created.metadata.name, /^p\.[0-9a-f]{16}$/);
  assert.deepEqual(created.involvedObject, {
    apiVersion: 'v1',
    kind: 'Pod',
    name: 'p',
    namespace: 'ns',
    uid: 'u',
    resourceVersion: '7',
  });
  assert.deepEqual([created.type, created.reason, created.message, created.count], ['Warning', 'BackOff', 'again', 1]);
  assert.deepEqual(created.source, { component: 'test', host: 'h' });
  assert.equal((JSON.parse(server.requests[2]?.body ?? '') as Event).count, 3);
  await recorder.stop();
  await server.close();
});

test('a server that fails is asked again a few times, one that refuses is not', async () => {
  let code = 500;
  const server = await startScriptedServer((request) => request.json(code, { kind: 'Status', code, reason: 'X' }));
  const clock = new FakeClock();
  const recorder = new ApiEventRecorder({ client: server.client(), clock, log: silentLog, component: 'test' });
  recorder.event(pod, 'Normal', 'A', 'a');
  const flushed = recorder.flush();
  for (const pauseMs of [1_000, 2_000, 4_000]) {
    await eventually(() => assert.equal(clock.pending, 1));
    await clock.advance(pauseMs);
  }
  await flushed;
  assert.equal(server.requests.length, 4);
  code = 403;
  recorder.event(pod, 'Normal', 'B', 'b');
  await recorder.flush();
  assert.equal(server.requests.length, 5);
  await recorder.stop();
  await server.close();
});

test('a burst of thousands is kept while the server is slow, and what is beyond all bounds is told of once', async () => {
  const server = await startScriptedServer(() => undefined);
  const clock = new FakeClock();
  const warnings: unknown[] = [];
  const log = { ...silentLog, warn: (message: string, fields?: unknown) => void warnings.push([message, fields]) };
  const recorder = new ApiEventRecorder({ client: server.client(), clock, log, component: 'test' });
  const schedule = (index: number): void => {
    const metadata = { ...pod.metadata, name: `p-${index}`, uid: `u-${index}` };
    recorder.event({ ...pod, metadata }, 'Normal', 'Scheduled', `Successfully assigned ns/p-${index} to node-1`);
  };
  for (let index = 0; index <= 10_000; index++) schedule(index);
  assert.deepEqual(warnings, []);
  for (let index = 0; index < 10; index++) schedule(20_000 + index);
  assert.deepEqual(warnings, [['too many events at once, some are lost', { reason: 'Scheduled' }]]);
  await Promise.all([recorder.stop(0), clock.advance(0)]);
  await server.close();
});

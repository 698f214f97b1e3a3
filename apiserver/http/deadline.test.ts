import assert from 'node:assert/strict';
import { request } from 'node:https';
import { describe, it } from 'node:test';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { serverWorld } from '../testing/server-world.js';
import { Deadlines, timeoutOf } from './deadline.js';

describe('deadlines', () => {
  it('end what is late, in order, and nothing else', async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const late: string[] = [];
    deadlines.add(undefined, () => late.push('first'));
    const cancel = deadlines.add(undefined, () => late.push('cancelled'));
    await clock.advance(30_000);
    deadlines.add(undefined, () => late.push('second'));
    deadlines.add(10_000, () => late.push('short'));
    cancel();
    await clock.advance(29_999);
    assert.deepEqual(late, ['short']);
    await clock.advance(1);
    assert.deepEqual(late, ['short', 'first']);
    await clock.advance(30_000);
    assert.deepEqual(late, ['short', 'first', 'second']);
    deadlines.add(undefined, () => late.push('stopped'));
    deadlines.stop();
    await clock.advance(60_000);
    assert.equal(late.length, 3);
  });

  it('of a shorter time than usual end then', async () => {
    const clock = new FakeClock();
    const late: string[] = [];
    new Deadlines(clock, 5_000).add(undefined, () => late.push('late'));
    await clock.advance(4_999);
    assert.deepEqual(late, []);
    await clock.advance(1);
    assert.deepEqual(late, ['late']);
  });

  it('are at most a minute, and a text that is no duration is refused', () => {
    const of = (text: string): number | undefined => timeoutOf(new URLSearchParams({ timeout: text }));
    assert.equal(of('30s'), 30_000);
    assert.equal(of('1.5s'), 1500);
    assert.equal(of('1h'), 60_000);
    assert.equal(of('0'), undefined);
    assert.equal(of(''), undefined);
    for (const text of ['x', '5', '-1s', '1s 2s', `${'9'.repeat(70)}s`]) {
      assert.throws(() => of(text), { code: 400, reason: 'BadRequest' });
    }
  });
});

describe('a request that takes too long', () => {
  const world = serverWorld();
  const { admin: client } = world;
  const path = '/api/v1/namespaces/default/configmaps';

  it('gets 504 with a Status, and its place is free again', async () => {
    const { ca, port, admin } = world.server;
    const answer = await new Promise<{ code: number; text: string }>((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port,
        ca,
        cert: admin.certificate,
        key: admin.key,
        path: `${path}?timeout=50ms`,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': 1000 },
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve({ code: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
          sent.destroy();
        });
      });
      sent.write('{');
    });
    assert.equal(answer.code, 504);
    const status = JSON.parse(answer.text) as { reason: string; message: string };
    assert.equal(status.reason, 'Timeout');
    assert.equal(status.message, 'Timeout: request did not complete within the allotted timeout');
    const { text } = await client.send('/metrics');
    assert.match(text, /apiserver_current_inflight_requests\{request_kind="mutating"\} 0\n/);
  });

  it('is not a watch, which ends by its own time', async () => {
    const watch = await client.send(`${path}?watch=true&timeoutSeconds=1&timeout=10ms`);
    assert.equal(watch.code, 200);
    assert.equal(watch.text, '');
  });

  it('is refused when its time is no duration', async () => {
    const answer = await client.send(`${path}?timeout=soon`);
    assert.equal(answer.code, 400);
    assert.match(answer.text, /invalid timeout specified in the request URL/);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { RawClient } from '../testing/raw-client.js';
import { startTestServer } from '../testing/test-server.js';

const minuteMs = 60_000;

test('an event lives for an hour after it was last written, whatever it says of when it happened', async () => {
  const clock = new FakeClock();
  const server = await startTestServer({ clock });
  const admin = new RawClient(server, server.admin);
  try {
    const path = '/api/v1/namespaces/default/events';
    const involvedObject = { kind: 'Pod', namespace: 'default', name: 'p' };
    const body = (name: string): object => ({
      metadata: { name },
      involvedObject,
      lastTimestamp: '2001-01-01T00:00:00Z',
    });
    for (const name of ['once', 'again']) assert.equal((await admin.send(path, { body: body(name) })).code, 201);
    const left = async (): Promise<string[]> => {
      const { items } = JSON.parse((await admin.send(path)).text) as { items: { metadata: { name: string } }[] };
      return items.map(({ metadata }) => metadata.name).sort();
    };
    await clock.advance(40 * minuteMs);
    assert.deepEqual(await left(), ['again', 'once']);
    const headers = { 'content-type': 'application/merge-patch+json' };
    await admin.send(`${path}/again`, { method: 'PATCH', body: { count: 2 }, headers });
    await clock.advance(30 * minuteMs);
    await eventually(async () => assert.deepEqual(await left(), ['again']));
    await clock.advance(60 * minuteMs);
    await eventually(async () => assert.deepEqual(await left(), []));
  } finally {
    admin.close();
    await server.close();
  }
});

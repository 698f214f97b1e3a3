import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { eventually } from '../../shared/clock/eventually.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { RawClient, type RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';
import { startTestServer } from '../testing/test-server.js';

interface Event {
  type: string;
  object: { kind: string; code?: number; metadata: { name?: string; resourceVersion: string; annotations?: object } };
}

describe('watching', () => {
  const clock = new FakeClock(Date.now());
  const world = serverWorld({ clock });
  const { admin } = world;
  const path = '/api/v1/namespaces/default/configmaps';
  const open: IncomingMessage[] = [];
  const body = (name: string, labels: object = {}): object => ({ metadata: { name, labels }, data: {} });
  const create = (name: string, labels?: object): Promise<RawAnswer> => admin.send(path, { body: body(name, labels) });
  const relabel = (name: string, labels: object): Promise<RawAnswer> =>
    admin.send(`${path}/${name}`, {
      method: 'PATCH',
      body: { metadata: { labels } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
  const remove = (name: string): Promise<RawAnswer> => admin.send(`${path}/${name}`, { method: 'DELETE' });

  after(async () => {
    for (const stream of open) stream.destroy();
  });

  async function watch(
    query: string,
    at = path,
  ): Promise<{ events: Event[]; stream: IncomingMessage; ended: () => boolean }> {
    const { certificate: cert, key } = world.server.admin;
    const options: RequestOptions = { host: '127.0.0.1', port: world.server.port, ca: world.server.ca, cert, key };
    const stream = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({ ...options, path: `${at}?watch=true&${query}` }, resolve);
      sent.on('error', reject);
      sent.end();
    });
    open.push(stream);
    const events: Event[] = [];
    let rest = '';
    let hasEnded = false;
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) events.push(JSON.parse(line) as Event);
    });
    stream.on('end', () => {
      hasEnded = true;
    });
    return { events, stream, ended: () => hasEnded };
  }

  const shown = (events: readonly Event[]): string[] =>
    events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`);
  /** Flushes are timers of the server's clock. */
  const settle = (expected: () => void): Promise<void> =>
    eventually(async () => {
      await clock.advance(5);
      expected();
    });

  it('starts with what exists, then goes on live', async () => {
    await create('one');
    const { events } = await watch('fieldSelector=metadata.name%3Done');
    await relabel('one', { a: 'b' });
    await remove('one');
    await settle(() => assert.deepEqual(shown(events), ['ADDED one', 'MODIFIED one', 'DELETED one']));
  });

  it('resumes after a revision without a gap, also from before the ring', async () => {
    const { json } = await admin.send(path);
    const { resourceVersion } = (json as unknown as { metadata: { resourceVersion: string } }).metadata;
    await create('r1');
    await remove('r1');
    const first = await watch(`resourceVersion=${resourceVersion}`);
    await settle(() => assert.deepEqual(shown(first.events), ['ADDED r1', 'DELETED r1']));
    const from = first.events[0]?.object.metadata.resourceVersion ?? '';
    const second = await watch(`resourceVersion=${from}`);
    await settle(() => assert.deepEqual(shown(second.events), ['DELETED r1']));
  });

  it('shows an object that starts and stops to match a selector as added and deleted', async () => {
    await create('s', { color: 'red' });
    const { events } = await watch('labelSelector=color%3Dblue');
    await relabel('s', { color: 'blue' });
    await relabel('s', { color: 'blue', size: 'xl' });
    await relabel('s', { color: 'red' });
    await settle(() => assert.deepEqual(shown(events), ['ADDED s', 'MODIFIED s', 'DELETED s']));
    const { json } = await admin.send(`${path}/s`);
    const last = events.at(-1)?.object.metadata.resourceVersion;
    assert.equal(last, (json as unknown as Event['object']).metadata.resourceVersion);
    await relabel('s', { color: 'red', size: 's' });
    await relabel('s', { color: 'blue' });
    await remove('s');
    await settle(() => assert.deepEqual(shown(events).slice(3), ['ADDED s', 'DELETED s']));
  });

  it('shows each watcher what its selector matches, and nothing else', async () => {
    const watches = await Promise.all(
      ['color%3Dred', 'color%3Dblue', 'color%20in%20(red,blue)'].map((selector) => watch(`labelSelector=${selector}`)),
    );
    for (const [name, color] of [
      ['w1', 'red'],
      ['w2', 'blue'],
      ['w3', 'green'],
    ] as const) {
      await create(name, { color });
      await relabel(name, { color, size: 'xl' });
      await remove(name);
    }
    const life = (name: string): string[] => ['ADDED', 'MODIFIED', 'DELETED'].map((type) => `${type} ${name}`);
    await settle(() =>
      assert.deepEqual(
        watches.map(({ events }) => shown(events)),
        [life('w1'), life('w2'), [...life('w1'), ...life('w2')]],
      ),
    );
  });

  it('marks the end of the initial events', async () => {
    await create('i');
    const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const { events } = await watch(query);
    await settle(() => assert.deepEqual(shown(events), ['ADDED i', 'BOOKMARK ']));
    assert.deepEqual(events[1]?.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' });
    const refused = await admin.send(`${path}?watch=true&sendInitialEvents=true`);
    assert.equal(refused.code, 422);
    await remove('i');
  });

  it('sends bookmarks to idle watches, and one before it ends them', async () => {
    const from = (await admin.send(path)).json?.['metadata'] as { resourceVersion: string };
    const query = `resourceVersion=${from.resourceVersion}&allowWatchBookmarks=true&timeoutSeconds=90`;
    const { events, ended } = await watch(query);
    await clock.advance(60_000);
    await settle(() => assert.deepEqual(shown(events), ['BOOKMARK ']));
    await clock.advance(30_000);
    await settle(() => assert.deepEqual(shown(events), ['BOOKMARK ', 'BOOKMARK ']));
    await settle(() => assert.ok(ended()));
  });

  it('tells a watch from before the history that it is too old', async () => {
    await create('old');
    await remove('old');
    await world.server.storage.compact(world.server.storage.revision);
    const fresh = await startTestServer({ storage: world.server.storage });
    const { certificate: cert, key } = fresh.admin;
    const client = new RawClient(fresh, { certificate: cert, key });
    const answer = await client.send(`${path}?watch=true&resourceVersion=1&timeoutSeconds=1`);
    const event = JSON.parse(answer.text.split('\n')[0] ?? '') as Event;
    assert.equal(event.type, 'ERROR');
    assert.equal(event.object.code, 410);
    client.close();
    await fresh.apiserver.stop();
  });
});

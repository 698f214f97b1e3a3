import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { configmaps } from '../api/generated/resources.js';
import type { ConfigMap } from '../api/generated/types.js';
import { startScriptedServer, type ScriptedRequest, type ScriptedServer } from '../client/testing/scripted-server.js';
import { eventually } from '../clock/eventually.js';
import { FakeClock } from '../clock/fake-clock.js';
import { createInformer, type SharedInformer } from './shared-informer.js';

const object = (name: string, resourceVersion: string, uid = name): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'ns', uid, resourceVersion },
  data: { app: name },
});
const list = (resourceVersion: string, ...items: object[]): object => ({ metadata: { resourceVersion }, items });

interface World {
  clock: FakeClock;
  server: ScriptedServer;
  informer: SharedInformer<ConfigMap>;
  /** `+a@1`, `~a@2`, `-a@2` in order. */
  seen: string[];
  lists: () => ScriptedRequest[];
  watches: () => ScriptedRequest[];
}

/** An informer against a server whose lists are given and whose watches stay open until the test writes to them. */
async function world(t: TestContext, lists: object[]): Promise<World> {
  const clock = new FakeClock();
  const server = await startScriptedServer((request) => {
    if (request.url.searchParams.has('watch')) {
      request.response.writeHead(200);
      request.response.flushHeaders();
    } else request.json(200, lists.length > 1 ? lists.shift() : lists[0]);
  });
  const informer = createInformer(
    server.client({ clock }),
    configmaps,
    { indexes: { app: (o) => (o.data?.['app'] ? [o.data['app']] : []) } },
    { clock, random: () => 0.5 },
  );
  const seen: string[] = [];
  const note = (sign: string) => (o: ConfigMap) =>
    void seen.push(`${sign}${o.metadata.name}@${o.metadata.resourceVersion}`);
  informer.addHandler({ onAdd: note('+'), onUpdate: (_, o) => note('~')(o), onDelete: note('-') });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
    await server.close();
  });
  const kind = (watch: boolean) => () => server.requests.filter((r) => r.url.searchParams.has('watch') === watch);
  return { clock, server, informer, seen, lists: kind(false), watches: kind(true) };
}

const send = (request: ScriptedRequest | undefined, type: string, body: object): void => {
  request?.response.write(`${JSON.stringify({ type, object: body })}\n`);
};

test('lists, then follows the watch from the version of the list', async (t) => {
  const { informer, seen, watches } = await world(t, [list('5', object('a', '1'))]);
  await informer.waitForSync(new AbortController().signal);
  await eventually(() => assert.equal(watches().length, 1));
  assert.equal(watches()[0]?.url.searchParams.get('resourceVersion'), '5');
  send(watches()[0], 'ADDED', object('b', '6'));
  send(watches()[0], 'MODIFIED', object('a', '7'));
  send(watches()[0], 'DELETED', object('b', '8'));
  send(watches()[0], 'BOOKMARK', { metadata: { resourceVersion: '9' } });
  await eventually(() => assert.equal(informer.resourceVersion, '9'));
  assert.deepEqual(seen, ['+a@1', '+b@6', '~a@7', '-b@8']);
  assert.deepEqual(
    informer.lister.byIndex('app', 'a').map((o) => o.metadata.name),
    ['a'],
  );
  assert.deepEqual(informer.lister.byIndex('app', 'b'), []);
  assert.throws(() => informer.lister.byIndex('nope', ''), /index nope does not exist/);
});

test('objects are frozen, and a late handler gets all that is there', async (t) => {
  const { informer } = await world(t, [list('5', object('a', '1'), object('b', '2'))]);
  await informer.waitForSync(new AbortController().signal);
  const late: string[] = [];
  informer.addHandler({ onAdd: (o, initial) => void late.push(`${o.metadata.name}:${initial}`) });
  assert.deepEqual(late, ['a:true', 'b:true']);
  const a = informer.lister.get('ns/a');
  assert.throws(() => {
    (a?.metadata ?? assert.fail()).labels = {};
  }, TypeError);
});

test('a watch that ends is resumed from the last version, without a list', async (t) => {
  const { informer, lists, watches, clock } = await world(t, [list('5')]);
  await eventually(() => assert.equal(watches().length, 1));
  send(watches()[0], 'ADDED', object('a', '6'));
  await eventually(() => assert.equal(informer.resourceVersion, '6'));
  watches()[0]?.response.end();
  await eventually(() => assert.equal(watches().length, 2));
  assert.equal(watches()[1]?.url.searchParams.get('resourceVersion'), '6');
  watches()[1]?.response.destroy(); // broken: after a back-off
  await eventually(async () => {
    await clock.advance(100);
    assert.equal(watches().length, 3);
  });
  assert.equal(lists().length, 1);
});

test('410 lists again and tells exactly the differences', async (t) => {
  const { seen, lists, watches } = await world(t, [
    list('5', object('a', '1'), object('b', '2'), object('c', '3'), object('d', '4', 'old')),
    list('20', object('a', '1'), object('b', '12'), object('d', '14', 'new'), object('e', '15')),
  ]);
  await eventually(() => assert.equal(watches().length, 1));
  seen.length = 0;
  send(watches()[0], 'ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
  await eventually(() => assert.equal(watches().length, 2));
  assert.equal(lists().length, 2);
  assert.deepEqual(seen, ['-c@3', '~b@12', '-d@4', '+d@14', '+e@15']);
});

test('a silent watch is given up and resumed', async (t) => {
  const { watches, lists, clock } = await world(t, [list('5')]);
  await eventually(() => assert.equal(watches().length, 1));
  await eventually(async () => {
    await clock.advance(30_000);
    assert.ok(watches().length >= 2);
  });
  assert.equal(lists().length, 1);
});

test('a long collection is read in pages, and as a whole when the pages expire', async () => {
  const clock = new FakeClock();
  const answers = [
    [200, { metadata: { resourceVersion: '5', continue: 'next' }, items: [object('a', '1')] }],
    [410, { kind: 'Status', code: 410, reason: 'Expired' }],
    [200, list('9', object('a', '1'), object('b', '7'))],
  ] as const;
  let turn = 0;
  const server = await startScriptedServer((request) => {
    if (request.url.searchParams.has('watch')) return request.response.writeHead(200).flushHeaders();
    const [code, body] = answers[turn++] ?? [500, {}];
    request.json(code, body);
  });
  const informer = createInformer(server.client({ clock }), configmaps, {}, { clock, random: () => 0.5 });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await informer.waitForSync(stop.signal);
  assert.deepEqual(
    informer.lister.list().map((o) => o.metadata.name),
    ['a', 'b'],
  );
  assert.deepEqual(
    server.requests.slice(0, 3).map((r) => [r.url.searchParams.get('limit'), r.url.searchParams.get('continue')]),
    [
      ['500', null],
      ['500', 'next'],
      [null, null],
    ],
  );
  stop.abort();
  await running;
  await server.close();
});

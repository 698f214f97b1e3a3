import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

interface Item {
  kind?: string;
  apiVersion?: string;
  metadata: { name: string; resourceVersion: string };
  data?: Record<string, string>;
}
interface List {
  kind: string;
  apiVersion: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: Item[];
}
interface TableAnswer {
  kind: string;
  apiVersion: string;
  columnDefinitions: unknown[] | null;
  rows: { cells: unknown[]; object: { kind: string; apiVersion: string; spec?: object; data?: object } | null }[];
}

const path = '/api/v1/namespaces/default/configmaps';
const as = (form: string, version = 'v1'): Record<string, string> => ({
  accept: `application/json;as=${form};v=${version};g=meta.k8s.io`,
});

describe('lists and watches in all their forms', () => {
  const clock = new FakeClock(Date.now());
  const world = serverWorld({ clock });
  const { admin } = world;
  const asList = ({ json }: RawAnswer): List => json as unknown as List;
  const names = (answer: RawAnswer): string[] => asList(answer).items.map(({ metadata }) => metadata.name);
  const list = async (query = ''): Promise<List> => asList(await admin.send(`${path}${query}`));
  const set = (name: string, v: string): Promise<RawAnswer> =>
    admin.send(`${path}/${name}`, {
      method: 'PATCH',
      body: { data: { v } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
  /** The events of a watch that ends at once. */
  const watch = async (
    query: string,
    headers: Record<string, string> = {},
  ): Promise<{ type: string; object: unknown }[]> => {
    let answer: RawAnswer | undefined;
    const sent = admin.send(`${path}?watch=1&timeoutSeconds=1&${query}`, { headers }).then((got) => (answer = got));
    await eventually(async () => {
      await clock.advance(500);
      assert.ok(answer);
    });
    const { text } = await sent;
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { type: string; object: unknown });
  };

  before(async () => {
    for (const name of ['a', 'b', 'c', 'd']) {
      const labels = { parity: 'ac'.includes(name) ? 'odd' : 'even' };
      // With another order of fields than the stored bytes have.
      await admin.send(path, {
        body: { data: { v: '1' }, metadata: { name, labels }, apiVersion: 'v1', kind: 'ConfigMap' },
      });
    }
  });

  it('items of a list leave out their type, in every encoding; single objects begin with it', async () => {
    const { items, kind, apiVersion } = await list();
    assert.deepEqual([kind, apiVersion], ['ConfigMapList', 'v1']);
    assert.equal(items.length, 4);
    for (const item of items)
      assert.deepEqual([item.kind, item.apiVersion, item.data?.['v']], [undefined, undefined, '1']);
    const yaml = await admin.send(path, { headers: { accept: 'application/yaml' } });
    assert.equal(yaml.text.match(/^ *(- )?kind:/gm)?.length, 1);
    const pretty = await admin.send(path, { headers: { accept: 'application/json;pretty=1' } });
    assert.equal(pretty.text.match(/"kind":/g)?.length, 1);
    assert.match((await admin.send(`${path}/a`)).text, /^\{"kind":"ConfigMap","apiVersion":"v1","/);
  });

  it('are laid out for who asks for it, and for the tools that people read from', async () => {
    const laidOut = async (query: string, agent = 'kubectl/v1.36'): Promise<boolean[]> => {
      const bodies = [`${path}/a${query}`, `${path}${query}`, `${path}/missing${query}`, `/version${query}`];
      const headers = { 'user-agent': agent };
      const answers = await Promise.all(bodies.map((body) => admin.send(body, { headers })));
      return answers.map(({ text }) => text.startsWith('{\n  "') && text.endsWith('}\n'));
    };
    const [all, none] = [Array(4).fill(true), Array(4).fill(false)];
    assert.deepEqual(await laidOut(''), none);
    assert.deepEqual(await laidOut('?pretty=true'), all);
    assert.deepEqual(await laidOut('', 'curl/8.5.0'), all);
    assert.deepEqual(await laidOut('', 'Mozilla/5.0 (X11; Linux x86_64)'), all);
    assert.deepEqual(await laidOut('?pretty=false', 'curl/8.5.0'), none);
  });

  it('are what they were at a revision of the past', async () => {
    const { items } = await list();
    const past = await list(`?resourceVersion=${items[1]?.metadata.resourceVersion}&resourceVersionMatch=Exact`);
    assert.deepEqual(
      past.items.map(({ kind: type, metadata }) => [type, metadata.name]),
      [
        [undefined, 'a'],
        [undefined, 'b'],
      ],
    );
    const view = await admin.send('/apis/events.k8s.io/v1/events');
    for (const item of asList(view).items) assert.equal(item.kind, undefined);
    const [event] = await watch('');
    assert.equal((event?.object as Item | undefined)?.kind, 'ConfigMap');
  });

  it('a list is long or empty, compressed or not, and always whole', async () => {
    assert.deepEqual((await list('?labelSelector=no%3Dsuch')).items, []);
    const big = 'y'.repeat(200_000);
    for (const name of ['x1', 'x2', 'x3', 'x4']) {
      await admin.send(path, { body: { metadata: { name, labels: { big: '1' } }, data: { big } } });
    }
    const plain = await admin.send(`${path}?labelSelector=big`);
    assert.deepEqual(names(plain), ['x1', 'x2', 'x3', 'x4']);
    for (const item of asList(plain).items) assert.equal(item.data?.['big'], big);
    const packed = await admin.send(`${path}?labelSelector=big`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    for (const name of ['x1', 'x2', 'x3', 'x4']) await admin.send(`${path}/${name}`, { method: 'DELETE' });
  });

  it('a list at a past revision shows that moment: exactly, by a limit, or anything newer', async () => {
    const before = await list();
    const at = before.metadata.resourceVersion;
    await set('a', '2');
    await admin.send(`${path}/b`, { method: 'DELETE' });
    const shown = ({ items, metadata }: List): unknown => [
      items.map((item) => `${item.metadata.name}${item.data?.['v']}`).join(' '),
      metadata.resourceVersion === at,
    ];
    assert.deepEqual(shown(await list(`?resourceVersion=${at}&resourceVersionMatch=Exact`)), ['a1 b1 c1 d1', true]);
    assert.deepEqual(shown(await list(`?resourceVersion=${at}&limit=10`)), ['a1 b1 c1 d1', true]);
    assert.deepEqual(shown(await list(`?resourceVersion=${at}&resourceVersionMatch=NotOlderThan`)), [
      'a2 c1 d1',
      false,
    ]);
    assert.deepEqual(shown(await list(`?resourceVersion=${at}`)), ['a2 c1 d1', false]);
    const page = await list(`?resourceVersion=${at}&resourceVersionMatch=Exact&limit=3`);
    assert.equal(page.metadata.remainingItemCount, 1);
    assert.deepEqual(shown(await list(`?continue=${page.metadata.continue}`)), ['d1', true]);
    const newer = await list(`?resourceVersion=${at}&resourceVersionMatch=NotOlderThan&limit=2`);
    assert.deepEqual(shown(newer), ['a2 c1', false]);
    await set('a', '1');
    await admin.send(path, { body: { metadata: { name: 'b', labels: { parity: 'even' } }, data: { v: '1' } } });
  });

  it('a limit does not count where any state will do, and a remainder is told only without selectors', async () => {
    const any = await list('?resourceVersion=0&limit=1');
    assert.deepEqual([any.items.length, any.metadata.continue], [4, undefined]);
    assert.equal((await list('?limit=1')).metadata.remainingItemCount, 3);
    const selected = await list('?limit=1&labelSelector=parity%3Dodd');
    assert.ok(selected.metadata.continue);
    assert.equal(selected.metadata.remainingItemCount, undefined);
    const rest = await list(`?limit=1&labelSelector=parity%3Dodd&continue=${selected.metadata.continue}`);
    assert.deepEqual([rest.items.map(({ metadata }) => metadata.name), rest.metadata.continue], [['c'], undefined]);
  });

  it('refuses tokens, futures and pasts that cannot be served', async () => {
    const message = async (query: string): Promise<string> => {
      const { code, json } = await admin.send(`${path}${query}`);
      return `${code} ${String(json?.['reason'])} ${String(json?.['message'])}`;
    };
    assert.match(await message('?continue=abc'), /^400 BadRequest invalid continue token: continue key is not valid: /);
    const { continue: token = '' } = (await list('?limit=1')).metadata;
    assert.equal(
      await message(`?continue=${token}&resourceVersion=5`),
      '400 BadRequest specifying resource version is not allowed when using continue',
    );
    const future = /^504 Timeout Timeout: Too large resource version: 99999999, current: \d+$/;
    assert.match(await message('?resourceVersion=99999999'), future);
    assert.match(await message('?resourceVersion=99999999&resourceVersionMatch=Exact'), future);
    assert.match(await message('/a?resourceVersion=99999999'), future);
    const initial = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=99999999';
    assert.match(await message(`?watch=1&${initial}`), future);
    const { json, headers } = await admin.send(`${path}?resourceVersion=99999999`);
    assert.equal(headers['retry-after'], '1');
    assert.deepEqual((json?.['details'] as { causes: unknown[] } | undefined)?.causes, [
      { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' },
    ]);
    const { resourceVersion: past } = (await list()).metadata;
    await set('a', '3');
    await set('a', '1');
    await world.server.storage.compact(world.server.storage.revision);
    assert.equal(
      await message(`?resourceVersion=${past}&resourceVersionMatch=Exact`),
      '410 Expired The resourceVersion for the provided list is too old.',
    );
    const expired = await admin.send(`${path}?limit=2&continue=${token}`);
    assert.equal(expired.code, 410);
    assert.match(
      String(expired.json?.['message']),
      /^The provided continue parameter is too old to display a consistent/,
    );
    const inconsistent = (expired.json?.['metadata'] as { continue: string } | undefined)?.continue;
    const rest = await list(`?limit=2&continue=${inconsistent}`);
    assert.deepEqual(
      rest.items.map(({ metadata }) => metadata.name),
      ['b', 'c'],
    );
    assert.ok(rest.metadata.continue);
  });

  it('metadata alone, in both versions: one object, a list, a watch; a form of the wrong shape is a 406', async () => {
    for (const version of ['v1', 'v1beta1']) {
      const typed = { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}` };
      const one = (await admin.send(`${path}/a`, { headers: as('PartialObjectMetadata', version) })).json ?? {};
      assert.deepEqual(
        { kind: one['kind'], apiVersion: one['apiVersion'], data: one['data'] },
        { ...typed, data: undefined },
      );
      const many = asList(await admin.send(path, { headers: as('PartialObjectMetadataList', version) }));
      assert.deepEqual([many.kind, many.apiVersion], ['PartialObjectMetadataList', typed.apiVersion]);
      for (const { kind, apiVersion, data } of many.items)
        assert.deepEqual({ kind, apiVersion, data }, { ...typed, data: undefined });
      const events = await watch('allowWatchBookmarks=true', as('PartialObjectMetadata', version));
      assert.deepEqual(
        events.map(({ type }) => type),
        ['ADDED', 'ADDED', 'ADDED', 'ADDED', 'BOOKMARK', 'BOOKMARK'],
      );
      for (const { object } of events) {
        const { kind, apiVersion } = object as Item;
        assert.deepEqual({ kind, apiVersion }, typed);
      }
    }
    const list406 = await admin.send(path, { headers: as('PartialObjectMetadata') });
    assert.deepEqual(
      [list406.code, list406.json?.['reason'], list406.json?.['message']],
      [
        406,
        'NotAcceptable',
        'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)',
      ],
    );
    assert.equal((await admin.send(`${path}/a`, { headers: as('PartialObjectMetadataList') })).code, 406);
    assert.equal((await admin.send(path, { headers: as('Table', 'v7') })).code, 406);
    assert.equal((await admin.send(path, { headers: { accept: 'application/cbor' } })).code, 406);
    const fallback = `${as('Table', 'v7')['accept']},application/json`;
    assert.equal(asList(await admin.send(path, { headers: { accept: fallback } })).kind, 'ConfigMapList');
  });

  it('tables of lists, objects and watches, with as much of the object as asked for', async () => {
    const table = async (query: string, version?: string): Promise<TableAnswer> =>
      (await admin.send(`${path}${query}`, { headers: as('Table', version) })).json as unknown as TableAnswer;
    const whole = await table('?includeObject=Object');
    assert.equal(whole.rows.length, 4);
    assert.equal(whole.rows[0]?.object?.kind, 'ConfigMap');
    assert.equal((await table('?includeObject=None')).rows[0]?.object, null);
    for (const query of ['', '?includeObject=Metadata', '?includeObject=']) {
      const { apiVersion, rows } = await table(query, 'v1beta1');
      assert.equal(apiVersion, 'meta.k8s.io/v1beta1');
      assert.deepEqual([rows[0]?.object?.kind, rows[0]?.object?.data], ['PartialObjectMetadata', undefined]);
    }
    assert.equal((await table('/a')).rows.length, 1);
    const refused = await admin.send(`${path}?includeObject=All`, { headers: as('Table') });
    assert.deepEqual(
      [refused.code, refused.json?.['message']],
      [
        400,
        `Unable to convert to Table as requested: includeObject: Invalid value: "All": must be 'Metadata', 'Object', 'None', or empty`,
      ],
    );
  });

  it('a watch of tables defines the columns once', async () => {
    const { resourceVersion } = (await list()).metadata;
    await set('a', '5');
    await set('a', '1');
    for (const query of ['', `resourceVersion=${resourceVersion}`]) {
      const tables = (await watch(query, as('Table'))).map(({ object }) => object as TableAnswer);
      assert.ok(tables.length >= 2);
      assert.ok((tables[0]?.columnDefinitions?.length ?? 0) > 0);
      for (const { kind, columnDefinitions, rows } of tables.slice(1)) {
        assert.deepEqual([kind, columnDefinitions, rows.length], ['Table', null, 1]);
      }
    }
  });

  it('initial events end with a bookmark of the moment that they show, where bookmarks are allowed', async () => {
    const { resourceVersion } = (await list()).metadata;
    const initial = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
    const ends = async (query: string): Promise<unknown[]> =>
      (await watch(query))
        .filter(({ type }) => type === 'BOOKMARK')
        .map(({ object }) => (object as { metadata: object }).metadata)
        .filter((metadata) => 'annotations' in metadata);
    const end = { resourceVersion, creationTimestamp: null, annotations: { 'k8s.io/initial-events-end': 'true' } };
    assert.deepEqual(await ends(`${initial}&allowWatchBookmarks=true`), [end]);
    assert.deepEqual(await ends(`${initial}&allowWatchBookmarks=true&resourceVersion=${resourceVersion}`), [end]);
    assert.deepEqual(await ends('allowWatchBookmarks=true&resourceVersion=0'), [end]);
    assert.deepEqual(await ends(initial), []);
    const none = await watch('sendInitialEvents=false&resourceVersionMatch=NotOlderThan');
    assert.deepEqual(none, []);
  });
});

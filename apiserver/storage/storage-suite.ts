import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import {
  StorageClosedError,
  StorageCompactedError,
  StorageConflictError,
  StorageFutureRevisionError,
  type Storage,
  type StorageEvent,
} from './storage.js';

/** Makes an empty store. The suite closes it; the factory cleans up what it made around it. */
export type StorageFactory = (cleanup: (job: () => Promise<void> | void) => void) => Promise<Storage>;

const pods = '/registry/core/pods/';
const bytes = (text: string) => (): Buffer => Buffer.from(text);
const stamped = (revision: number): Buffer => Buffer.from(`{"resourceVersion":"${revision}"}`);

/** The contract of {@link Storage}: every implementation passes it. */
export function storageSuite(name: string, factory: StorageFactory): void {
  let storage: Storage;
  const jobs: (() => Promise<void> | void)[] = [];
  beforeEach(async () => {
    storage = await factory((job) => jobs.push(job));
  });
  afterEach(async () => {
    await storage.close();
    for (const job of jobs.splice(0)) await job();
  });
  const store = (): Storage => storage;
  describe(`${name}: writes`, () => writeTests(store));
  describe(`${name}: concurrent writes`, () => concurrencyTests(store));
  describe(`${name}: lists`, () => listTests(store));
  describe(`${name}: the past`, () => pastTests(store));
  describe(`${name}: watches`, () => watchTests(store));
  describe(`${name}: closing`, () => closeTests(store));
}

function writeTests(store: () => Storage): void {
  test('a created value is read back with its revisions', async () => {
    const made = await store().put(`${pods}a/x`, stamped, 0);
    assert.deepEqual(made, { key: `${pods}a/x`, value: stamped(1), revision: 1, createRevision: 1 });
    assert.deepEqual(await store().get(`${pods}a/x`), made);
    assert.equal(store().revision, 1);
    assert.equal(await store().get(`${pods}a/y`), undefined);
  });

  test('an update keeps the create revision; a recreation does not', async () => {
    await store().put('/a', stamped, 0);
    const updated = await store().put('/a', stamped, 1);
    assert.deepEqual([updated.revision, updated.createRevision], [2, 1]);
    assert.deepEqual(await store().delete('/a', 2), { revision: 3 });
    assert.equal(await store().get('/a'), undefined);
    const again = await store().put('/a', stamped, 0);
    assert.deepEqual([again.revision, again.createRevision], [4, 4]);
  });

  test('a write that expects another revision is refused and told what is there', async () => {
    await assert.rejects(store().put('/a', stamped, 5), (error: StorageConflictError) => error.current === undefined);
    await assert.rejects(store().delete('/a', 0), StorageConflictError);
    const made = await store().put('/a', stamped, 0);
    for (const expected of [0, 2]) {
      await assert.rejects(store().put('/a', stamped, expected), (error: unknown) => {
        assert.ok(error instanceof StorageConflictError);
        assert.deepEqual(error.current, made);
        return true;
      });
    }
    await assert.rejects(store().delete('/a', 7), StorageConflictError);
    assert.equal(store().revision, 1, 'a refused write takes no revision');
  });

  test('an encoder that throws fails its write only', async () => {
    const fails = store().put('/a', () => assert.fail('no bytes'), 0);
    const works = store().put('/b', stamped, 0);
    await assert.rejects(fails, /no bytes/);
    assert.equal((await works).revision, 1);
  });

  test('values of none and of four million bytes come back as they were', async () => {
    const big = Buffer.alloc(4_000_000, 'knarr');
    await store().put('/empty', () => Buffer.alloc(0), 0);
    await store().put('/big', () => big, 0);
    assert.equal((await store().get('/empty'))?.value.length, 0);
    assert.ok((await store().get('/big'))?.value.equals(big));
    assert.equal(store().health().keys, 2);
  });
}

function concurrencyTests(store: () => Storage): void {
  test('300 writers at once each get a revision of their own, seen by a watch in order', async () => {
    const encoded: number[] = [];
    const seen: number[] = [];
    await store().watch('/', 0, (events) => seen.push(...events.map((event) => event.revision)));
    const write = (i: number) =>
      store().put(`${pods}ns/${i}`, (revision) => (encoded.push(revision), stamped(revision)), 0);
    const made = await Promise.all(Array.from({ length: 300 }, (_, i) => write(i)));
    const expected = Array.from({ length: 300 }, (_, i) => i + 1);
    assert.deepEqual(encoded, expected, 'encode is called once a write, in revision order');
    assert.deepEqual(seen, expected);
    assert.deepEqual(
      made.map((m) => m.revision).sort((a, b) => a - b),
      expected,
    );
    for (const one of made) assert.deepEqual(await store().get(one.key), { ...one, value: stamped(one.revision) });
  });

  test('of many writers of one key exactly one wins a revision', async () => {
    await store().put('/a', stamped, 0);
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => store().put('/a', stamped, 1)));
    assert.equal(results.filter((r) => r.status === 'fulfilled').length, 1);
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      assert.ok(result.reason instanceof StorageConflictError);
      assert.equal(result.reason.current?.revision, 2, 'the conflict tells the winner');
    }
    assert.equal(store().revision, 2);
  });

  test('a write is visible when its promise resolves, never earlier', async () => {
    const writing = store().put('/a', stamped, 0);
    assert.equal(store().revision, 0);
    const early = await store().get('/a');
    assert.ok(!early || store().revision === early.revision, 'a value that is seen belongs to a committed revision');
    const made = await writing;
    assert.equal(store().revision, made.revision);
    assert.deepEqual(await store().get('/a'), made);
  });

  test('creation and deletion race to a consistent end', async () => {
    await store().put('/a', stamped, 0);
    const outcomes = await Promise.allSettled([
      store().delete('/a', 1),
      store().put('/a', stamped, 1),
      store().put('/a', stamped, 0),
    ]);
    const won = outcomes.filter((o) => o.status === 'fulfilled').length;
    assert.equal(store().revision, 1 + won);
    assert.ok(won >= 1);
  });
}

function listTests(store: () => Storage): void {
  test('a prefix takes what is below it, in byte order, and nothing beside it', async () => {
    const names = ['ns/b', 'ns/a', 'ns-2/a', 'ns/a-1', 'ns/a.b', 'ns/Z', 'ns/é', 'ns/\u{1f4a9}', 'ns/\uffee'];
    for (const name of names) await store().put(pods + name, bytes(name), 0);
    await store().put('/registry/core/podsecurity/ns/a', bytes('x'), 0);
    const page = await store().list(`${pods}ns/`);
    const expected = names.filter((name) => name.startsWith('ns/')).map((name) => pods + name);
    expected.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(
      page.items.map((item) => item.key),
      expected,
    );
    assert.equal(page.revision, store().revision);
    assert.deepEqual([page.nextKey, page.remaining], [undefined, undefined]);
    assert.deepEqual((await store().list('/registry/apps/')).items, []);
  });

  test('pages at one revision show one moment, whatever is written between them', async () => {
    for (let i = 0; i < 25; i++) await store().put(`${pods}ns/${String(i).padStart(2, '0')}`, stamped, 0);
    const whole = await store().list(pods);
    const first = await store().list(pods, { limit: 10 });
    assert.deepEqual([first.items.length, first.remaining, first.nextKey], [10, 15, first.items[9]?.key]);
    await store().delete(`${pods}ns/12`, 13);
    await store().put(`${pods}ns/13`, stamped, 14);
    await store().put(`${pods}ns/14x`, stamped, 0);
    await store().delete(`${pods}ns/15`, 16);
    await store().put(`${pods}ns/15`, stamped, 0);
    const items = [...first.items];
    for (let page = first; page.nextKey !== undefined;) {
      page = await store().list(pods, { limit: 10, startAfter: page.nextKey, revision: first.revision });
      assert.equal(page.revision, first.revision);
      assert.equal(page.remaining ?? 0, 25 - items.length - page.items.length);
      items.push(...page.items);
    }
    assert.deepEqual(items, whole.items);
    assert.equal((await store().list(pods)).items.length, 25);
  });
}

function pastTests(store: () => Storage): void {
  const build = async (): Promise<void> => {
    await store().put('/a', bytes('one'), 0); // 1
    await store().put('/b', bytes('b'), 0); // 2
    await store().put('/a', bytes('two'), 1); // 3
    await store().delete('/a', 3); // 4
    await store().put('/a', bytes('three'), 0); // 5
  };
  const textAt = async (key: string, revision: number): Promise<string | undefined> =>
    (await store().getAt(key, revision))?.value.toString();

  test('a key is read as it was at each revision', async () => {
    await build();
    const texts = [];
    for (let revision = 0; revision <= 5; revision++) texts.push(await textAt('/a', revision));
    assert.deepEqual(texts, [undefined, 'one', 'one', 'two', undefined, 'three']);
    assert.equal((await store().getAt('/a', 3))?.createRevision, 1);
    assert.deepEqual(
      (await store().list('/', { revision: 4 })).items.map((item) => item.key),
      ['/b'],
    );
  });

  test('a revision that does not exist yet is refused', async () => {
    await build();
    await assert.rejects(store().getAt('/a', 6), StorageFutureRevisionError);
    await assert.rejects(store().list('/', { revision: 6 }), StorageFutureRevisionError);
    await assert.rejects(
      store().watch('/', 6, () => undefined),
      StorageFutureRevisionError,
    );
    await assert.rejects(store().compact(6), StorageFutureRevisionError);
  });

  test('compaction forgets what was before its revision, and nothing else', async () => {
    await build();
    await store().compact(4);
    await store().compact(2);
    assert.equal(store().compactedRevision, 4);
    for (const read of [() => store().getAt('/a', 3), () => store().list('/', { revision: 3 })]) {
      await assert.rejects(read, (error: unknown) => {
        assert.ok(error instanceof StorageCompactedError);
        assert.equal(error.compactedRevision, 4);
        return true;
      });
    }
    await assert.rejects(
      store().watch('/', 3, () => undefined),
      StorageCompactedError,
    );
    assert.deepEqual([await textAt('/a', 4), await textAt('/b', 4), await textAt('/a', 5)], [undefined, 'b', 'three']);
    assert.equal((await store().list('/')).items.length, 2);
    await store().compact(5);
    assert.equal((await store().get('/a'))?.revision, 5);
    assert.equal((await store().put('/c', stamped, 0)).revision, 6);
    assert.equal(await textAt('/c', 5), undefined);
  });

  test('everything deleted and compacted leaves an empty store that goes on', async () => {
    await store().put('/a', stamped, 0);
    await store().delete('/a', 1);
    await store().compact(2);
    assert.deepEqual((await store().list('/')).items, []);
    assert.equal(store().health().keys, 0);
    assert.equal((await store().put('/a', stamped, 0)).createRevision, 3);
    assert.equal((await store().getAt('/a', 2))?.revision, undefined);
  });
}

function watchTests(store: () => Storage): void {
  test('events carry the bytes written, those before, and the last ones of a delete', async () => {
    const events: StorageEvent[] = [];
    await store().watch('/', 0, (some) => events.push(...some));
    await store().put('/a', bytes('one'), 0);
    await store().put('/a', bytes('two'), 1);
    await store().delete('/a', 2);
    await store().put('/a', bytes('three'), 0);
    await store().delete('/a', 4, bytes('last'));
    const expected = [
      { type: 'put', key: '/a', revision: 1, value: Buffer.from('one') },
      {
        type: 'put',
        key: '/a',
        revision: 2,
        value: Buffer.from('two'),
        previous: { value: Buffer.from('one'), revision: 1 },
      },
      { type: 'delete', key: '/a', revision: 3, value: Buffer.from('two') },
      { type: 'put', key: '/a', revision: 4, value: Buffer.from('three') },
      { type: 'delete', key: '/a', revision: 5, value: Buffer.from('last') },
    ];
    await eventually(() => assert.deepEqual(events, expected));
    const replayed: StorageEvent[] = [];
    await store().watch('/', 0, (some) => replayed.push(...some));
    assert.deepEqual(replayed, expected, 'history tells the same as live');
    await store().compact(3);
    const rest: StorageEvent[] = [];
    await store().watch('/', 3, (some) => rest.push(...some));
    assert.deepEqual(rest, expected.slice(3), 'also after compaction');
  });

  test('watches that start in the past while writes go on see each event once, in order', async () => {
    const total = 600;
    const seen: number[][] = [];
    const writers = Array.from({ length: 20 }, async (_, w) => {
      for (let i = 0; i < total / 20; i++) {
        await store().put(`/w${w % 2}/${w}-${i}`, stamped, 0);
        if (i % 5 !== 0 || w % 4 !== 0) continue;
        const mine: number[] = [];
        seen.push(mine);
        await store().watch('/', Math.floor(store().revision / 2), (events) => {
          mine.push(...events.map((event) => event.revision));
        });
      }
    });
    await Promise.all(writers);
    assert.equal(store().revision, total);
    for (const mine of seen) {
      await eventually(() => assert.equal(mine.at(-1), total));
      const first = mine[0] ?? 0;
      assert.deepEqual(
        mine,
        Array.from({ length: total - first + 1 }, (_, i) => first + i),
      );
    }
  });

  test('a watch sees its prefix only, and nothing after it was ended', async () => {
    const seen: string[] = [];
    const stop = await store().watch(`${pods}ns/`, 0, (events) => seen.push(...events.map((event) => event.key)));
    await store().put(`${pods}ns/a`, stamped, 0);
    await store().put(`${pods}ns-2/a`, stamped, 0);
    stop();
    stop();
    await store().put(`${pods}ns/b`, stamped, 0);
    assert.deepEqual(seen, [`${pods}ns/a`]);
  });

  test('a listener may end itself and its neighbour in the middle of a delivery', async () => {
    const seen: string[] = [];
    const stops: (() => void)[] = [];
    for (const name of ['first', 'second']) {
      const stop = await store().watch('/', 0, () => {
        seen.push(name);
        for (const end of stops) end();
      });
      stops.push(stop);
    }
    await Promise.all([store().put('/a', stamped, 0), store().put('/b', stamped, 0)]);
    await store().put('/c', stamped, 0);
    assert.deepEqual(seen, ['first']);
  });

  test('a signal ends a watch', async () => {
    const abort = new AbortController();
    let count = 0;
    await store().watch('/', 0, (events) => void (count += events.length), { signal: abort.signal });
    await store().put('/a', stamped, 0);
    abort.abort();
    await store().put('/b', stamped, 0);
    assert.equal(count, 1);
    await assert.rejects(
      store().watch('/', 0, () => undefined, { signal: abort.signal }),
      { name: 'AbortError' },
    );
  });
}

function closeTests(store: () => Storage): void {
  test('a closed store refuses everything', async () => {
    await store().put('/a', stamped, 0);
    await store().close();
    await store().close();
    assert.equal(store().health().mode, 'closed');
    for (const call of [
      () => store().get('/a'),
      () => store().getAt('/a', 1),
      () => store().list('/'),
      () => store().put('/b', stamped, 0),
      () => store().delete('/a', 1),
      () => store().compact(1),
      () => store().watch('/', 0, () => undefined),
    ]) {
      await assert.rejects(call, StorageClosedError);
    }
  });

  test('writes under way when the store is closed end, one way or the other', async () => {
    const writes = Array.from({ length: 100 }, (_, i) => store().put(`/${i}`, stamped, 0));
    const closing = store().close();
    for (const result of await Promise.allSettled(writes)) {
      if (result.status === 'rejected') assert.ok(result.reason instanceof StorageClosedError);
    }
    await closing;
  });
}

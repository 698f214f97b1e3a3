import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { EncodedObjects } from './cached-object.js';
import { FrameCache, storedRepresentation } from './frames.js';
import { everything } from './selection.js';
import { WatchCache } from './watch-cache.js';
import { Watcher, type SharedChunks } from './watcher.js';

const prefix = '/registry/core/configmaps/';

class Collection {
  readonly cache: WatchCache;
  readonly clock = new FakeClock();
  readonly frames = new FrameCache();
  #revision = 0;

  constructor(maxEvents = 100, maxBytes = 1 << 20) {
    const limits = { maxEvents, maxBytes };
    this.cache = new WatchCache({ prefix, encoded: new EncodedObjects(), revision: 0, limits });
  }

  put(name: string, size = 1): void {
    const revision = ++this.#revision;
    const object = { metadata: { name, resourceVersion: String(revision) }, data: 'x'.repeat(size) };
    this.cache.apply({ type: 'put', key: `${prefix}ns/${name}`, value: Buffer.from(JSON.stringify(object)), revision });
  }

  watch(hasRoom: () => boolean): { watcher: Watcher; chunks: Buffer[]; ended: () => boolean } {
    const chunks: Buffer[] = [];
    let hasEnded = false;
    const watcher = new Watcher({
      cache: this.cache,
      prefix,
      selection: everything,
      representation: storedRepresentation,
      frames: this.frames,
      sink: {
        write: (chunk) => {
          chunks.push(chunk);
          return hasRoom();
        },
        end: () => {
          hasEnded = true;
        },
      },
      clock: this.clock,
      position: this.cache.ring.endPosition,
      initial: [],
      history: [],
      bookmark: undefined,
      initialEnd: undefined,
      timeoutMs: 60_000,
      tooOld: () => Buffer.from('{"type":"ERROR"}\n'),
      onEnd: () => {},
    });
    return { watcher, chunks, ended: () => hasEnded };
  }
}

const count = (chunks: readonly Buffer[]): number => chunks.join('').split('\n').length - 1;

describe('Watcher', () => {
  it('joins what has happened into one write', () => {
    const collection = new Collection();
    const { watcher, chunks } = collection.watch(() => true);
    for (let i = 0; i < 10; i++) collection.put(`o${i}`);
    watcher.pump();
    assert.equal(chunks.length, 1);
    assert.equal(count(chunks), 10);
  });

  it('shares joined events with those that stand at the same place', () => {
    const collection = new Collection();
    const [one, two] = [collection.watch(() => true), collection.watch(() => true)];
    collection.put('a');
    collection.put('b');
    const shared: SharedChunks = new Map();
    one.watcher.pump(shared);
    two.watcher.pump(shared);
    assert.equal(one.chunks[0], two.chunks[0]);
  });

  it('holds nothing for a client that does not read, and goes on when it does', () => {
    const collection = new Collection();
    let hasRoom = false;
    const { watcher, chunks } = collection.watch(() => hasRoom);
    collection.put('a');
    watcher.pump();
    for (let i = 0; i < 50; i++) {
      collection.put(`o${i}`);
      watcher.pump();
    }
    assert.equal(count(chunks), 1);
    hasRoom = true;
    watcher.drained();
    assert.equal(count(chunks), 51);
  });

  it('ends a client that has fallen out of the ring', () => {
    const collection = new Collection(10);
    const { watcher, chunks, ended } = collection.watch(() => false);
    collection.put('a');
    watcher.pump();
    for (let i = 0; i < 20; i++) collection.put(`o${i}`);
    watcher.drained();
    assert.ok(ended());
    assert.equal(chunks.at(-1)?.toString(), '{"type":"ERROR"}\n');
  });

  it('keeps the ring within its bytes', () => {
    const collection = new Collection(1000, 10_000);
    for (let i = 0; i < 100; i++) collection.put(`o${i}`, 1000);
    const { ring } = collection.cache;
    assert.ok(ring.endPosition - ring.firstPosition <= 10);
    assert.equal(ring.positionAfter(1), undefined);
    assert.equal(ring.positionAfter(100), ring.endPosition);
    assert.equal(ring.at(ring.firstPosition)?.revision, ring.baseRevision + 1);
  });
});

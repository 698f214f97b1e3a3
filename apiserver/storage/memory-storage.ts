import { compareKeys } from './key-order.js';
import {
  StorageClosedError,
  StorageCompactedError,
  StorageConflictError,
  StorageFutureRevisionError,
  type ListPage,
  type Storage,
  type StorageEvent,
  type StorageHealth,
  type StoredValue,
} from './storage.js';
import { callListener, Watchers, type StorageListener } from './watchers.js';

interface Version {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly value: Buffer;
  readonly revision: number;
  readonly createRevision: number;
  /** What the key was before; cut off by compaction. */
  previous: Version | undefined;
}

/** The contract of {@link Storage} in its plainest form: a model to test against, and a store for tests. Nothing is durable. */
export class MemoryStorage implements Storage {
  /** Latest version by key; a deleted key stays until its delete is compacted. */
  readonly #latest = new Map<string, Version>();
  /** Versions above the compacted revision, one a revision. */
  #log: Version[] = [];
  readonly #watchers = new Watchers();
  #revision = 0;
  #compactedRevision = 0;
  #keys = 0;
  #isClosed = false;

  get revision(): number {
    return this.#revision;
  }

  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  async get(key: string): Promise<StoredValue | undefined> {
    this.#assertOpen();
    return this.#at(key, this.#revision);
  }

  async getAt(key: string, revision: number): Promise<StoredValue | undefined> {
    this.#assertReadable(revision);
    return this.#at(key, revision);
  }

  async list(
    prefix: string,
    options: { limit?: number; startAfter?: string; revision?: number } = {},
  ): Promise<ListPage> {
    const revision = options.revision ?? this.#revision;
    this.#assertReadable(revision);
    const after = options.startAfter;
    const all = [...this.#latest.keys()]
      .filter((key) => key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0))
      .sort(compareKeys)
      .map((key) => this.#at(key, revision))
      .filter((value) => value !== undefined);
    const limit = options.limit || all.length;
    const items = all.slice(0, limit);
    const last = items.at(-1);
    if (all.length <= limit || !last) return { items, revision };
    return { items, revision, nextKey: last.key, remaining: all.length - limit };
  }

  async put(key: string, encode: (revision: number) => Buffer, expectedRevision: number): Promise<StoredValue> {
    await this.#turn();
    const current = this.#expect(key, expectedRevision);
    const revision = this.#revision + 1;
    const value = encode(revision);
    const createRevision = current?.createRevision ?? revision;
    this.#commit({ type: 'put', key, value, revision, createRevision, previous: this.#latest.get(key) });
    return { key, value, revision, createRevision };
  }

  async delete(
    key: string,
    expectedRevision: number,
    last?: (revision: number) => Buffer,
  ): Promise<{ revision: number }> {
    await this.#turn();
    const current = this.#expect(key, expectedRevision);
    if (!current) throw new StorageConflictError(key, undefined);
    const revision = this.#revision + 1;
    const value = last?.(revision) ?? current.value;
    const { createRevision } = current;
    this.#commit({ type: 'delete', key, value, revision, createRevision, previous: this.#latest.get(key) });
    return { revision };
  }

  async watch(
    prefix: string,
    startRevision: number,
    listener: StorageListener,
    options: { signal?: AbortSignal } = {},
  ): Promise<() => void> {
    this.#assertReadable(startRevision);
    options.signal?.throwIfAborted();
    const past = this.#log.slice(startRevision - this.#compactedRevision).filter((v) => v.key.startsWith(prefix));
    const end = this.#watchers.add(prefix, listener);
    options.signal?.addEventListener('abort', end, { once: true });
    if (past.length > 0) callListener(listener, past.map(eventOf), end);
    return end;
  }

  async compact(revision: number): Promise<void> {
    this.#assertOpen();
    if (revision > this.#revision) throw new StorageFutureRevisionError(revision, this.#revision);
    if (revision <= this.#compactedRevision) return;
    for (const version of this.#log.splice(0, revision - this.#compactedRevision)) {
      version.previous = undefined;
      if (version.type === 'delete' && this.#latest.get(version.key) === version) this.#latest.delete(version.key);
    }
    this.#compactedRevision = revision;
  }

  health(): StorageHealth {
    const mode = this.#isClosed ? 'closed' : 'read-write';
    const { revision, compactedRevision } = this;
    return { mode, revision, compactedRevision, keys: this.#keys, commits: revision, writes: revision };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watchers.clear();
  }

  /** A write takes effect in a later job than its call, as it would in a store that has to wait for a disk. */
  async #turn(): Promise<void> {
    this.#assertOpen();
    await Promise.resolve();
    this.#assertOpen();
  }

  #expect(key: string, expectedRevision: number): StoredValue | undefined {
    const current = this.#at(key, this.#revision);
    if ((current?.revision ?? 0) !== expectedRevision) throw new StorageConflictError(key, current);
    return current;
  }

  #commit(version: Version): void {
    if (version.type === 'delete') this.#keys--;
    else if (version.createRevision === version.revision) this.#keys++;
    this.#revision = version.revision;
    this.#latest.set(version.key, version);
    this.#log.push(version);
    this.#watchers.deliver([eventOf(version)]);
  }

  #at(key: string, revision: number): StoredValue | undefined {
    let version = this.#latest.get(key);
    while (version && version.revision > revision) version = version.previous;
    if (version?.type !== 'put') return undefined;
    const { value, createRevision } = version;
    return { key, value, revision: version.revision, createRevision };
  }

  #assertReadable(revision: number): void {
    this.#assertOpen();
    if (revision < this.#compactedRevision) throw new StorageCompactedError(this.#compactedRevision);
    if (revision > this.#revision) throw new StorageFutureRevisionError(revision, this.#revision);
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new StorageClosedError('the store is closed');
  }
}

function eventOf(version: Version): StorageEvent {
  const { type, key, revision, value, previous } = version;
  if (type === 'delete' || previous?.type !== 'put') return { type, key, revision, value };
  return { type, key, revision, value, previous: { value: previous.value, revision: previous.revision } };
}

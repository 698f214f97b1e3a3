import type { Clock } from '../../shared/clock/clock.js';
import { silentLog, type Log } from '../../shared/log/log.js';
import type { AcknowledgedFile } from './acknowledged-file.js';
import { maxKeyBytes } from './change-record.js';
import { Compactor } from './compactor.js';
import { defaultHistoryLimits, planSlice, type HistoryLimits } from './compaction.js';
import { writeBufferBytes, type Database } from './database.js';
import type { DirectoryLock } from './directory-lock.js';
import { probeDisk } from './disk.js';
import { GroupCommit, type Batch, type QueueLimits, type StagedWrite } from './group-commit.js';
import { locate, present, readEvents, readPage } from './history.js';
import type { KeyIndex } from './key-index.js';
import {
  openLevel,
  openStore,
  reopenStore,
  type OpenDatabase,
  type OpenedStore,
  type ReopenedStore,
} from './opening.js';
import {
  StorageClosedError,
  StorageCompactedError,
  StorageConflictError,
  StorageCorruptError,
  StorageFutureRevisionError,
  StorageLockedError,
  StorageReadOnlyError,
  type ListPage,
  type Storage,
  type StorageEvent,
  type StorageHealth,
  type StoredValue,
  type WatchOptions,
} from './storage.js';
import { callListener, Watchers, type StorageListener } from './watchers.js';

export interface LevelStorageOptions {
  /** Made when absent; nobody else may write in it. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log?: Log;
  readonly historyLimits?: Partial<HistoryLimits>;
  /** Writes that wait for the disk at most; further ones fail with StorageOverloadedError. */
  readonly queueLimits?: Partial<QueueLimits>;
  /** Opens the files; tests put faults in between. */
  readonly openDatabase?: OpenDatabase;
}

type Mode = 'read-write' | 'read-only' | 'closed';

const defaultQueueLimits: QueueLimits = { maxWrites: 10_000, maxBytes: 128 * 1024 * 1024 };
const firstRetryMs = 1000;
const lastRetryMs = 5000;
const eventsAtOnce = 64;

/**
 * The store in LevelDB. docs/storage.md tells how it keeps its word.
 *
 *   put/delete -> GroupCommit -> one synced batch -> index, watchers, promises
 *                                     | error
 *                                     v
 *                    read-only -> close, open, verify -> read-write
 */
export class LevelStorage implements Storage {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #queueLimits: QueueLimits;
  readonly #openDatabase: OpenDatabase;
  readonly #lock: DirectoryLock;
  readonly #acknowledged: AcknowledgedFile;
  readonly #compactor: Compactor;
  readonly #watchers = new Watchers();
  readonly #closing = new AbortController();
  /** Records that were found damaged: the store does not become writable before they are whole. */
  readonly #suspects = new Set<number>();
  #mode: Mode = 'read-write';
  #reason: string | undefined;
  /** Absent while it is being reopened, and after a reopening that failed. */
  #database: Database | undefined;
  #reopening: Promise<void> | undefined;
  #recovery: Promise<void> | undefined;
  #flushing: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #queue: GroupCommit;
  #index: KeyIndex;
  #revision: number;
  #chain: Buffer;
  #compactedRevision: number;
  #commits = 0;
  #writes = 0;

  private constructor(options: LevelStorageOptions, parts: OpenedStore) {
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#log = options.log ?? silentLog;
    this.#queueLimits = { ...defaultQueueLimits, ...options.queueLimits };
    this.#openDatabase = options.openDatabase ?? openLevel;
    this.#lock = parts.lock;
    this.#acknowledged = parts.acknowledged;
    this.#database = parts.database;
    const { head, index } = parts.state;
    this.#queue = new GroupCommit(head, this.#queueLimits);
    this.#index = index;
    this.#revision = head.revision;
    this.#chain = head.chain;
    this.#compactedRevision = head.compactedRevision;
    const limits = { ...defaultHistoryLimits, ...options.historyLimits };
    this.#compactor = new Compactor(options.clock, limits, {
      kick: () => this.#kick(),
      view: () => ({ database: this.#database, head: { ...this.#queue.head, revision: this.#revision } }),
      failed: (error) => this.#fail(error),
    });
  }

  /**
   * Opens and verifies; takes a second at most for 30,000 objects. Throws StorageLockedError when another process has the
   * directory, StorageCorruptError when anything that was acknowledged is missing or damaged.
   */
  static async open(options: LevelStorageOptions): Promise<LevelStorage> {
    return new LevelStorage(options, await openStore(options.directory, options.openDatabase ?? openLevel));
  }

  get revision(): number {
    return this.#revision;
  }

  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  async get(key: string): Promise<StoredValue | undefined> {
    return this.#read((database) => this.#valueAt(database, key, this.#revision));
  }

  async getAt(key: string, revision: number): Promise<StoredValue | undefined> {
    return this.#read((database) => {
      this.#assertReadable(revision);
      return this.#valueAt(database, key, revision);
    });
  }

  async list(
    prefix: string,
    options: { limit?: number; startAfter?: string; revision?: number } = {},
  ): Promise<ListPage> {
    const { limit, startAfter } = options;
    return this.#read(async (database) => {
      const revision = options.revision ?? this.#revision;
      this.#assertReadable(revision);
      try {
        return await readPage(database, this.#index, { prefix, revision, limit, startAfter });
      } catch (error) {
        if (!(error instanceof StorageCorruptError) || revision >= this.#compactedRevision) throw error;
        // Compaction overtook the list. One that asked for no revision starts again at a newer one.
        if (options.revision === undefined) return this.list(prefix, options);
        throw new StorageCompactedError(this.#compactedRevision);
      }
    });
  }

  put(key: string, encode: (revision: number) => Buffer, expectedRevision: number): Promise<StoredValue> {
    return this.#write('put', key, expectedRevision, () => encode);
  }

  async delete(
    key: string,
    expectedRevision: number,
    last?: (revision: number) => Buffer,
  ): Promise<{ revision: number }> {
    const { revision } = await this.#write('delete', key, expectedRevision, (staged) => {
      if (last) return last;
      const value = staged?.value ?? this.#currentValue(key)?.value;
      return () => value ?? Buffer.alloc(0);
    });
    return { revision };
  }

  async watch(
    prefix: string,
    startRevision: number,
    listener: StorageListener,
    options: WatchOptions = {},
  ): Promise<() => void> {
    const { signal } = options;
    this.#assertOpen();
    this.#assertReadable(startRevision);
    for (let cursor = startRevision; ;) {
      signal?.throwIfAborted();
      if (cursor < this.#compactedRevision) throw new StorageCompactedError(this.#compactedRevision);
      // No await between this comparison and the registration: that is what leaves no gap.
      if (cursor >= this.#revision) break;
      const upTo = Math.min(cursor + eventsAtOnce, this.#revision);
      const events = await this.#read((database) => this.#eventsOf(database, prefix, cursor, upTo));
      signal?.throwIfAborted();
      if (events.length > 0) callListener(listener, events, () => undefined);
      cursor = upTo;
    }
    const end = this.#watchers.add(prefix, listener, options);
    signal?.addEventListener('abort', end, { once: true });
    return end;
  }

  async compact(revision: number): Promise<void> {
    this.#assertWritable();
    if (revision > this.#revision) throw new StorageFutureRevisionError(revision, this.#revision);
    await this.#compactor.compactTo(revision);
  }

  health(): StorageHealth {
    return {
      mode: this.#mode,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      revision: this.#revision,
      compactedRevision: this.#compactedRevision,
      keys: this.#index.live,
      commits: this.#commits,
      writes: this.#writes,
    };
  }

  /** Lets the writes that were accepted reach the disk, then closes. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const wasWritable = this.#mode === 'read-write';
    this.#mode = 'closed';
    this.#closing.abort();
    this.#compactor.stop(new StorageClosedError('the store is closed'));
    await this.#flushing;
    await this.#recovery;
    await this.#database?.close();
    this.#database = undefined;
    this.#watchers.clear();
    this.#acknowledged.close();
    await this.#lock.release();
    this.#log.info('store closed', { revision: this.#revision, wasWritable });
  }

  async #write(
    type: 'put' | 'delete',
    key: string,
    expectedRevision: number,
    encoder: (staged: StagedWrite | undefined) => (revision: number) => Buffer,
  ): Promise<StoredValue> {
    this.#assertWritable();
    if (3 * key.length > maxKeyBytes && Buffer.byteLength(key) > maxKeyBytes)
      throw new RangeError(`a key has at most ${maxKeyBytes} bytes`);
    const staged = this.#queue.staged(key);
    const before = staged?.after ?? this.#index.get(key);
    const current = before && !before.isDeleted ? before.revision : 0;
    if (current !== expectedRevision || (type === 'delete' && current === 0)) {
      // Only what is on disk can refuse a write: until then the other one may still fail.
      await staged?.done;
      throw new StorageConflictError(key, await this.get(key));
    }
    const done = this.#queue.stage(type, key, encoder(staged), { before, nowMs: this.#clock.now() });
    this.#kick();
    return done;
  }

  #kick(): void {
    if (this.#flushing || this.#mode === 'read-only') return;
    this.#flushing = this.#flush();
  }

  /** Commits batch after batch until nothing waits. */
  async #flush(): Promise<void> {
    // Writes of the same turn of the event loop join the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    let batch: Batch | undefined;
    try {
      for (;;) {
        batch = undefined;
        const slice = planSlice(await this.#compactor.nextSlice(), this.#queue, this.#index);
        batch = this.#queue.takeBatch(slice);
        if (!batch || !this.#database) return;
        // History is gone for readers before it is gone from the disk.
        this.#compactedRevision = batch.head.compactedRevision;
        for (const [key] of slice?.removedEntries ?? []) this.#index.delete(key);
        await this.#commit(this.#database, batch);
      }
    } catch (error) {
      this.#fail(error, batch);
    } finally {
      // In the job of the look that found nothing: a write that comes after it starts a new round.
      this.#flushing = undefined;
    }
  }

  async #commit(database: Database, batch: Batch): Promise<void> {
    this.#lock.assertHeld();
    await database.write(batch.operations);
    this.#lock.assertHeld();
    this.#acknowledged.write(batch.head);
    const { size, wantPrevious } = this.#watchers;
    const events = size > 0 ? batch.writes.map((write) => eventOf(wantPrevious ? database : undefined, write)) : [];
    this.#queue.committed();
    for (const { key, after } of batch.writes) this.#index.set(key, after);
    this.#revision = batch.head.revision;
    this.#chain = batch.head.chain;
    this.#commits++;
    this.#writes += batch.writes.length;
    if (events.length > 0) this.#watchers.deliver(events);
    for (const { key, value, after, resolve } of batch.writes) {
      resolve({ key, value, revision: after.revision, createRevision: after.createRevision });
    }
    this.#compactor.committed(batch.head);
  }

  /** The first error ends writing: LevelDB would go on and lose what it acknowledges. */
  #fail(error: unknown, batch?: Batch): void {
    const cause = error instanceof Error ? error.message : String(error);
    const isFinal = error instanceof StorageLockedError;
    if (error instanceof StorageCorruptError && error.revision !== undefined) this.#suspects.add(error.revision);
    const refusal = new StorageReadOnlyError(
      `the store is read-only: ${cause}${batch ? '; whether this write was kept shows when it is open again' : ''}`,
      { cause: error },
    );
    this.#queue.failAll(refusal, batch);
    this.#compactor.fail(refusal);
    if (this.#mode !== 'read-write') return;
    this.#mode = 'read-only';
    this.#reason = cause;
    this.#log.error('store is read-only', { error });
    if (!isFinal) this.#recovery = this.#recover();
  }

  async #recover(): Promise<void> {
    for (let delayMs = firstRetryMs; ; delayMs = Math.min(2 * delayMs, lastRetryMs)) {
      try {
        await this.#clock.sleep(delayMs, this.#closing.signal);
      } catch {
        return; // closing
      }
      try {
        // As much as LevelDB writes when it is opened: a failed opening would leave nothing to read from.
        probeDisk(this.#directory, 2 * writeBufferBytes);
        this.#lock.assertHeld();
        this.#reopening = this.#reopen();
        await this.#reopening;
        return;
      } catch (error) {
        this.#reason = error instanceof Error ? error.message : String(error);
        this.#log.warn('store stays read-only', { error, retryAfterMs: Math.min(2 * delayMs, lastRetryMs) });
        if (error instanceof StorageLockedError) return;
      } finally {
        this.#reopening = undefined;
      }
    }
  }

  /** Close, open, verify that all that was acknowledged is there, then tell watchers what turned out to be kept beyond. */
  async #reopen(): Promise<void> {
    const former = this.#database;
    this.#database = undefined;
    await this.#flushing;
    await former?.close();
    const store = { directory: this.#directory, acknowledged: this.#acknowledged };
    const last = { revision: this.#revision, chain: this.#chain };
    this.#adopt(await reopenStore(store, this.#openDatabase, last, this.#suspects));
  }

  #adopt({ database, state: { head, index }, events }: ReopenedStore): void {
    this.#suspects.clear();
    this.#database = database;
    this.#queue = new GroupCommit(head, this.#queueLimits);
    this.#index = index;
    this.#revision = head.revision;
    this.#chain = head.chain;
    this.#compactedRevision = head.compactedRevision;
    if (this.#mode === 'read-only') this.#mode = 'read-write';
    this.#reason = undefined;
    this.#log.info('store is writable again', { revision: head.revision, recovered: events.length });
    if (events.length > 0) this.#watchers.deliver(events);
  }

  /** Runs a read on the open database, again when it was closed underneath for a reopening. */
  async #read<T>(job: (database: Database) => T | Promise<T>): Promise<T> {
    for (;;) {
      await this.#reopening?.catch(() => undefined);
      this.#assertOpen();
      const database = this.#database;
      if (!database) throw new StorageReadOnlyError(`the store cannot be read: ${this.#reason}`);
      try {
        return await job(database);
      } catch (error) {
        if (this.#database !== database && (error as { code?: string }).code === 'LEVEL_DATABASE_NOT_OPEN') continue;
        if (error instanceof StorageCorruptError) this.#fail(error);
        throw error;
      }
    }
  }

  #valueAt(database: Database, key: string, revision: number): StoredValue | undefined {
    const at = locate(database, key, this.#index.get(key), revision);
    if (!at) return undefined;
    const { value } = present(database.readRecord(at.revision), key, at.revision);
    return { key, value, revision: at.revision, createRevision: at.createRevision };
  }

  #currentValue(key: string): StoredValue | undefined {
    if (!this.#database) throw new StorageReadOnlyError(`the store cannot be read: ${this.#reason}`);
    return this.#valueAt(this.#database, key, this.#revision);
  }

  async #eventsOf(database: Database, prefix: string, after: number, upTo: number): Promise<StorageEvent[]> {
    try {
      return await readEvents(database, prefix, after, upTo);
    } catch (error) {
      if (after < this.#compactedRevision) throw new StorageCompactedError(this.#compactedRevision);
      throw error;
    }
  }

  #assertOpen(): void {
    if (this.#mode === 'closed') throw new StorageClosedError('the store is closed');
  }

  #assertWritable(): void {
    this.#assertOpen();
    if (this.#mode === 'read-only') throw new StorageReadOnlyError(`the store is read-only: ${this.#reason}`);
  }

  #assertReadable(revision: number): void {
    if (revision < this.#compactedRevision) throw new StorageCompactedError(this.#compactedRevision);
    if (revision > this.#revision) throw new StorageFutureRevisionError(revision, this.#revision);
  }
}

/** With the former state where there is a database to read it from. */
function eventOf(database: Database | undefined, write: StagedWrite): StorageEvent {
  const { type, key, value, before, after } = write;
  const event = { type, key, revision: after.revision, value };
  if (!database || type === 'delete' || !before || before.isDeleted) return event;
  const previous = present(database.readRecord(before.revision), key, before.revision);
  return { ...event, previous: { value: previous.value, revision: before.revision } };
}

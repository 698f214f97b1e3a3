/**
 * What the API server needs of a store. Implementations: LevelDB, memory. One contract suite runs on all.
 *
 * Keys are `/registry/<group>/<resource>/<namespace>/<name>` (namespace segment absent for cluster scope; the core group is
 * `core`). Values are opaque bytes, never parsed here: the JSON of an object as it is served, its own resourceVersion (= the
 * revision of the write) included, so that the same Buffer is store value, GET body, LIST piece and watch event.
 *
 * Revisions are one growing counter for the whole store: each write (put or delete) takes the next one. A batch member
 * gets a revision of its own. Revision 0 means "does not exist".
 */
export interface StoredValue {
  readonly key: string;
  readonly value: Buffer;
  /** Revision of the last write. */
  readonly revision: number;
  /** Revision of the create. */
  readonly createRevision: number;
}

export interface StorageEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  /** Bytes written; for a delete the last bytes before it. */
  readonly value: Buffer;
  /** For a put over an existing key: the bytes and revision before. */
  readonly previous?: { readonly value: Buffer; readonly revision: number };
}

export interface ListPage {
  readonly items: readonly StoredValue[];
  /** Revision that the page shows. */
  readonly revision: number;
  /** Key to start the next page after; absent on the last page. */
  readonly nextKey?: string;
  /** How many more keys follow under the prefix; only given when a limit cut the page. */
  readonly remaining?: number;
}

/**
 * All writes are durable (fsync) when their promise resolves, and visible to reads and watches only then, in revision order.
 *
 * Errors: `StorageConflictError` when an expected revision does not match; `StorageReadOnlyError` after a write error until
 * the store has been reopened and verified (a write that was under way then may or may not have been kept);
 * `StorageOverloadedError` when too many writes wait; `StorageCompactedError` for a revision older than the history;
 * `StorageFutureRevisionError` for one that does not exist yet; `StorageCorruptError` for bytes that are not those that were
 * written; `StorageClosedError` after close().
 */
export interface Storage {
  /** Latest committed revision. */
  readonly revision: number;
  /** Oldest revision from which watch() and past reads are possible. */
  readonly compactedRevision: number;
  get(key: string): Promise<StoredValue | undefined>;
  /** The value a key had at a past revision; undefined when it did not exist then. */
  getAt(key: string, revision: number): Promise<StoredValue | undefined>;
  /** Keys below `prefix` in byte order. `revision` lists the past (a consistent continue). */
  list(prefix: string, options?: { limit?: number; startAfter?: string; revision?: number }): Promise<ListPage>;
  /**
   * Writes `value` if the key's current revision equals `expectedRevision` (0: it must not exist).
   * `encode` gets the revision that the write will have, so that the bytes can contain it; it must be pure and quick and
   * is called exactly once, in revision order, when the write is put into the batch.
   */
  put(key: string, encode: (revision: number) => Buffer, expectedRevision: number): Promise<StoredValue>;
  /** Removes the key if its current revision equals `expectedRevision`; resolves with the revision of the delete. `last` makes the final bytes for the watch event. */
  delete(key: string, expectedRevision: number, last?: (revision: number) => Buffer): Promise<{ revision: number }>;
  /**
   * Calls `listener` for every committed event under `prefix` with a revision above `startRevision`, in order: first from
   * history, then live, without a gap. The listener is synchronous and must not throw (a throw ends the process). Resolves,
   * once history up to now has been delivered, with the function that ends the watch; `signal` ends it earlier.
   * Rejects with StorageCompactedError when startRevision is below compactedRevision, or is overtaken by compaction while
   * history is read.
   */
  watch(
    prefix: string,
    startRevision: number,
    listener: (events: readonly StorageEvent[]) => void,
    options?: WatchOptions,
  ): Promise<() => void>;
  /**
   * Whether writing the same value again would keep it differently, with a newer key: such a write is then done although it changes nothing.
   * Absent: never.
   */
  isStale?(key: string): boolean;
  /** Forgets history before `revision`: the state at `revision` and all later ones can still be read. No effect when that is done already. */
  compact(revision: number): Promise<void>;
  /** State for /readyz and /metrics. */
  health(): StorageHealth;
  close(): Promise<void>;
}

export interface WatchOptions {
  readonly signal?: AbortSignal;
  /** The listener knows the former states itself: `previous` may be absent, which spares reading it for each update. */
  readonly knowsPrevious?: boolean;
}

export interface StorageHealth {
  readonly mode: 'read-write' | 'read-only' | 'closed';
  /** Why it is read-only. */
  readonly reason?: string;
  readonly revision: number;
  readonly compactedRevision: number;
  readonly keys: number;
  /** Counters since open: commits (= fsyncs) and writes in them. */
  readonly commits: number;
  readonly writes: number;
}

export class StorageConflictError extends Error {
  override readonly name = 'StorageConflictError';
  /** What is stored now; undefined when the key does not exist. */
  readonly current: StoredValue | undefined;
  constructor(key: string, current: StoredValue | undefined) {
    super(`${key} has revision ${current?.revision ?? 0}`);
    this.current = current;
  }
}
export class StorageReadOnlyError extends Error {
  override readonly name = 'StorageReadOnlyError';
}
export class StorageCompactedError extends Error {
  override readonly name = 'StorageCompactedError';
  readonly compactedRevision: number;
  constructor(compactedRevision: number) {
    super(`history before revision ${compactedRevision} has been compacted`);
    this.compactedRevision = compactedRevision;
  }
}
export class StorageFutureRevisionError extends Error {
  override readonly name = 'StorageFutureRevisionError';
  /** Latest committed revision. */
  readonly revision: number;
  constructor(wanted: number, revision: number) {
    super(`revision ${wanted} does not exist yet, the latest is ${revision}`);
    this.revision = revision;
  }
}
/** Stored bytes are not those that were written, or acknowledged writes are missing. The message names the key and the remedy. */
export class StorageCorruptError extends Error {
  override readonly name = 'StorageCorruptError';
  /** The record concerned, where it is one. */
  readonly revision: number | undefined;
  constructor(message: string, revision?: number) {
    super(message);
    this.revision = revision;
  }
}
/** The directory is in use by another process. */
export class StorageLockedError extends Error {
  override readonly name = 'StorageLockedError';
}
/** Too many writes are waiting: try again later. */
export class StorageOverloadedError extends Error {
  override readonly name = 'StorageOverloadedError';
}
export class StorageClosedError extends Error {
  override readonly name = 'StorageClosedError';
}

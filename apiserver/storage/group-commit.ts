import { encodeRecord } from './change-record.js';
import { entryKey, headKey, recordKey, type Operation } from './database.js';
import { encodeHead, type Head } from './head-record.js';
import { addEntry, encodeEntry, type IndexEntry } from './index-entry.js';
import { StorageOverloadedError, type StoredValue } from './storage.js';

/** A write that has its revision and its bytes, and waits for the disk. */
export interface StagedWrite {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly value: Buffer;
  readonly before: IndexEntry | undefined;
  readonly after: IndexEntry;
  readonly recordBytes: Buffer;
  readonly chain: Buffer;
  readonly timeMs: number;
  /** Settles with the batch. */
  readonly done: Promise<StoredValue>;
  readonly resolve: (value: StoredValue) => void;
  readonly reject: (error: Error) => void;
}

/** History that the next batch removes. */
export interface CompactionSlice {
  readonly operations: readonly Operation[];
  readonly compactedRevision: number;
  readonly historyBytes: number;
  readonly removedEntries: readonly (readonly [key: string, entry: IndexEntry])[];
}

export interface Batch {
  readonly writes: readonly StagedWrite[];
  readonly operations: Operation[];
  /** The head after it. */
  readonly head: Head;
}

const maxBatchWrites = 512;
const maxBatchBytes = 4 * 1024 * 1024;

export interface QueueLimits {
  readonly maxWrites: number;
  readonly maxBytes: number;
}

/**
 * Writes between their call and the disk. A write is staged (checked, numbered, encoded, chained) at once, against what is
 * staged before it, so that the next batch is complete when the sync of the present one ends.
 *
 *   put() -> staged, waiting --takeBatch()--> in flight --committed()--> gone
 *                         \________failAll()________/
 */
export class GroupCommit {
  readonly #limits: QueueLimits;
  /** Head after everything that is in flight or committed. */
  #head: Head;
  #revision: number;
  #chain: Buffer;
  #timeMs: number;
  #waiting: StagedWrite[] = [];
  #waitingBytes = 0;
  /**
   * Latest write by key of those that wait, and of those in flight. Both maps are made anew for each batch: in one that lives on,
   * V8 keeps what it held at former times until the next full collection.
   */
  #waitingByKey = new Map<string, StagedWrite>();
  #flyingByKey = new Map<string, StagedWrite>();

  constructor(head: Head, limits: QueueLimits) {
    this.#head = head;
    this.#revision = head.revision;
    this.#chain = head.chain;
    this.#timeMs = head.timeMs;
    this.#limits = limits;
  }

  get head(): Head {
    return this.#head;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  staged(key: string): StagedWrite | undefined {
    return this.#waitingByKey.get(key) ?? this.#flyingByKey.get(key);
  }

  /** Takes the next revision. `encode` is called once, here; when it throws nothing has happened. */
  stage(
    type: 'put' | 'delete',
    key: string,
    encode: (revision: number) => Buffer,
    context: { before: IndexEntry | undefined; nowMs: number },
  ): Promise<StoredValue> {
    if (this.#waiting.length >= this.#limits.maxWrites || this.#waitingBytes >= this.#limits.maxBytes)
      throw new StorageOverloadedError(`${this.#waiting.length} writes wait for the disk already`);
    const { before } = context;
    const revision = this.#revision + 1;
    const value = encode(revision);
    const timeMs = Math.max(this.#timeMs, context.nowMs);
    const createRevision = before && !before.isDeleted ? before.createRevision : revision;
    const previousRevision = before?.revision ?? 0;
    const previousDigest = this.#chain;
    const record = { type, key, revision, createRevision, previousRevision, timeMs, value, previousDigest };
    const { bytes, digest } = encodeRecord(record);
    const after = { revision, createRevision, isDeleted: type === 'delete' };
    const write = { type, key, value, before, after, recordBytes: bytes, chain: digest, timeMs, ...promise() };
    this.#revision = revision;
    this.#chain = digest;
    this.#timeMs = timeMs;
    this.#waiting.push(write);
    this.#waitingBytes += bytes.length;
    this.#waitingByKey.set(key, write);
    return write.done;
  }

  /** Everything that waits, up to the size of a batch, and a slice of compaction; undefined when there is neither. */
  takeBatch(slice: CompactionSlice | undefined): Batch | undefined {
    const writes = this.#takeWrites();
    if (writes.length === 0 && !slice) return undefined;
    const operations: Operation[] = [...(slice?.operations ?? [])];
    let { sum, historyBytes } = slice ? { sum: this.#head.sum, historyBytes: slice.historyBytes } : this.#head;
    for (const [key, entry] of slice?.removedEntries ?? []) sum = addEntry(sum, key, entry, -1);
    for (const { key, before, after, recordBytes } of writes) {
      operations.push({ type: 'put', key: recordKey(after.revision), value: recordBytes });
      operations.push({ type: 'put', key: entryKey(key), value: encodeEntry(key, after) });
      if (before) sum = addEntry(sum, key, before, -1);
      sum = addEntry(sum, key, after, 1);
      historyBytes += recordBytes.length;
    }
    const compactedRevision = slice?.compactedRevision ?? this.#head.compactedRevision;
    const last = writes.at(-1);
    const tip = last && { revision: last.after.revision, chain: last.chain, timeMs: last.timeMs };
    this.#head = { ...this.#head, ...tip, sum, historyBytes, compactedRevision };
    operations.push({ type: 'put', key: headKey, value: encodeHead(this.#head) });
    return { writes, operations, head: this.#head };
  }

  /** What {@link takeBatch} gave last is on disk. */
  committed(): void {
    this.#flyingByKey = new Map();
  }

  /** Fails what waits and what is in flight. The queue is of no use afterwards: the store's state must be read anew. */
  failAll(error: Error, batch?: Batch): void {
    const waiting = this.#waiting.splice(0);
    this.#waitingByKey = new Map();
    this.#flyingByKey = new Map();
    for (const write of [...(batch?.writes ?? []), ...waiting]) write.reject(error);
  }

  #takeWrites(): StagedWrite[] {
    let count = 0;
    let bytes = 0;
    for (const write of this.#waiting) {
      if (count >= maxBatchWrites || (count > 0 && bytes + write.recordBytes.length > maxBatchBytes)) break;
      count++;
      bytes += write.recordBytes.length;
    }
    this.#waitingBytes -= bytes;
    const taken = this.#waiting.splice(0, count);
    this.#flyingByKey = this.#waiting.length === 0 ? this.#waitingByKey : byKey(taken);
    this.#waitingByKey = byKey(this.#waiting);
    return taken;
  }
}

const byKey = (writes: readonly StagedWrite[]): Map<string, StagedWrite> =>
  new Map(writes.map((write) => [write.key, write]));

function promise(): Pick<StagedWrite, 'done' | 'resolve' | 'reject'> {
  let resolve: (value: StoredValue) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const done = new Promise<StoredValue>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { done, resolve, reject };
}

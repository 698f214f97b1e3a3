import type { ChangeRecord } from './change-record.js';
import { entryKey, recordKey, type Database, type Operation } from './database.js';
import type { CompactionSlice, GroupCommit } from './group-commit.js';
import type { Head } from './head-record.js';
import type { IndexEntry } from './index-entry.js';
import type { KeyIndex } from './key-index.js';
import { StorageCorruptError } from './storage.js';

/** How much of the past is kept: what exceeds any of the three goes. */
export interface HistoryLimits {
  readonly maxRevisions: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

export const defaultHistoryLimits: HistoryLimits = {
  maxRevisions: 100_000,
  maxBytes: 256 * 1024 * 1024,
  maxAgeMs: 24 * 3600 * 1000,
};

const maxSliceRecords = 128;
const maxSliceBytes = 2 * 1024 * 1024;
/** History may exceed a limit by a sixteenth before a run of compaction brings it back. */
const slack = 16;

/** Whether history has outgrown its size; a run then goes on until {@link isAboveLimits} is false. */
export const isCompactionDue = (head: Head, limits: HistoryLimits): boolean =>
  head.revision - head.compactedRevision > limits.maxRevisions + Math.floor(limits.maxRevisions / slack) ||
  head.historyBytes > limits.maxBytes + Math.floor(limits.maxBytes / slack);

export const isAboveLimits = (head: Head, limits: HistoryLimits): boolean =>
  head.revision - head.compactedRevision > limits.maxRevisions || head.historyBytes > limits.maxBytes;

/**
 * The records whose effect on history the next slice forgets: those after the compacted revision, up to `target`, or as many
 * as the size limits ask for. A slice is small, so that neither the loop nor a writer that shares its batch waits long.
 */
export async function readSlice(
  database: Database,
  head: Head,
  committedRevision: number,
  wanted: { target: number; limits: HistoryLimits | undefined },
): Promise<ChangeRecord[]> {
  const slice: ChangeRecord[] = [];
  const { target, limits } = wanted;
  let { compactedRevision, historyBytes } = head;
  for (let bytes = 0; slice.length < maxSliceRecords && bytes < maxSliceBytes;) {
    const count = Math.min(16, committedRevision - compactedRevision);
    const records = await database.readRecords(Array.from({ length: count }, (_, i) => compactedRevision + 1 + i));
    for (const record of records) {
      const isAbove = limits !== undefined && isAboveLimits({ ...head, compactedRevision, historyBytes }, limits);
      if (compactedRevision >= target && !isAbove) return slice;
      compactedRevision++;
      if (!record)
        throw new StorageCorruptError(
          `the record of revision ${compactedRevision} is missing from the history`,
          compactedRevision,
        );
      slice.push(record);
      historyBytes -= record.sizeBytes;
      bytes += record.sizeBytes;
    }
    if (count === 0) break;
  }
  return slice;
}

/**
 * What to remove when history before the slice's last revision goes: of each key all but its latest record. Every record of the slice made
 * its predecessor obsolete; a delete is obsolete itself. The index forgets a deleted key in the same step, unless it is
 * just being written again.
 */
export function planSlice(
  records: readonly ChangeRecord[],
  queue: GroupCommit,
  index: KeyIndex,
): CompactionSlice | undefined {
  const last = records.at(-1);
  if (!last) return undefined;
  const operations: Operation[] = [];
  const removedEntries: [string, IndexEntry][] = [];
  let { historyBytes } = queue.head;
  for (const { key, revision, previousRevision, type, sizeBytes } of records) {
    historyBytes -= sizeBytes;
    if (previousRevision > 0) operations.push({ type: 'del', key: recordKey(previousRevision) });
    if (type === 'put') continue;
    operations.push({ type: 'del', key: recordKey(revision) });
    const entry = index.get(key);
    if (entry?.revision !== revision || queue.staged(key)) continue;
    operations.push({ type: 'del', key: entryKey(key) });
    removedEntries.push([key, entry]);
  }
  return { operations, compactedRevision: last.revision, historyBytes, removedEntries };
}

/** The last revision written before `cutoffMs`, found by halving. */
export function revisionBefore(database: Database, head: Head, cutoffMs: number): number {
  let low = head.compactedRevision;
  let high = head.revision;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const timeMs = database.readRecord(middle)?.timeMs ?? 0;
    if (timeMs < cutoffMs) low = middle;
    else high = middle - 1;
  }
  return low;
}

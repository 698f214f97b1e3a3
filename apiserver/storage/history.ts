import type { ChangeRecord } from './change-record.js';
import type { Database } from './database.js';
import type { IndexEntry } from './index-entry.js';
import type { KeyIndex } from './key-index.js';
import { StorageCorruptError, type ListPage, type StorageEvent, type StoredValue } from './storage.js';

/** Where the value lies that a key had at some revision. */
export interface Located {
  readonly revision: number;
  readonly createRevision: number;
}

/** Follows the records of one key back to the one that was valid at `revision`; undefined when the key did not exist then. */
export function locate(
  database: Database,
  key: string,
  entry: IndexEntry | undefined,
  revision: number,
): Located | undefined {
  if (!entry) return undefined;
  if (entry.revision <= revision) return entry.isDeleted ? undefined : entry;
  for (let at = entry.revision; ;) {
    const record = present(database.readRecord(at), key, at);
    const isCreation = record.type === 'put' && record.createRevision === record.revision;
    const before = record.previousRevision;
    // What comes before a creation is a delete, or nothing.
    if (before <= revision) return isCreation ? undefined : { revision: before, createRevision: record.createRevision };
    at = before;
  }
}

/** Answers from the entry alone where it can. */
function existedAt(database: Database, key: string, entry: IndexEntry, revision: number): boolean {
  if (entry.revision <= revision) return !entry.isDeleted;
  return entry.createRevision <= revision || locate(database, key, entry, revision) !== undefined;
}

/** The record, which must be there and be that key's. */
export function present(record: ChangeRecord | undefined, key: string, revision: number): ChangeRecord {
  if (record?.key === key) return record;
  const what = record ? `belongs to ${JSON.stringify(record.key)}` : 'is missing';
  throw new StorageCorruptError(
    `the record of revision ${revision} of ${JSON.stringify(key)} ${what}; see docs/storage.md, "Recovery"`,
    revision,
  );
}

/** The events of the revisions above `after` up to `upTo`, as they were told when they happened. */
export async function readEvents(
  database: Database,
  prefix: string,
  after: number,
  upTo: number,
): Promise<StorageEvent[]> {
  const revisions = Array.from({ length: upTo - after }, (_, i) => after + 1 + i);
  const records = (await database.readRecords(revisions)).map((record, i) => {
    if (record) return record;
    throw new StorageCorruptError(`the record of revision ${revisions[i]} is missing from the history`, revisions[i]);
  });
  const matching = records.filter((record) => record.key.startsWith(prefix));
  const updates = matching.filter(isUpdate);
  const before = await database.readRecords(updates.map((record) => record.previousRevision));
  const previous = new Map(updates.map((r, i) => [r.revision, present(before[i], r.key, r.previousRevision)]));
  return matching.map(({ type, key, revision, value }) => {
    const last = previous.get(revision);
    if (!last) return { type, key, revision, value };
    return { type, key, revision, value, previous: { value: last.value, revision: last.revision } };
  });
}

const isUpdate = (record: ChangeRecord): boolean => record.type === 'put' && record.createRevision !== record.revision;

export interface ListRequest {
  readonly prefix: string;
  readonly revision: number;
  readonly limit: number | undefined;
  readonly startAfter: string | undefined;
}

const valuesAtOnce = 128;

/** One page at one revision. Keys come from the index, values from the disk in pieces, so that the loop is never held for long. */
export async function readPage(database: Database, index: KeyIndex, request: ListRequest): Promise<ListPage> {
  const { prefix, revision, startAfter } = request;
  const limit = request.limit || Number.POSITIVE_INFINITY;
  const found: [key: string, at: Located][] = [];
  let remaining = 0;
  // In one go, so that no commit comes in between; only keys written after `revision` cost a read here.
  index.walk(prefix, startAfter, (key, entry) => {
    if (found.length === limit) {
      if (existedAt(database, key, entry, revision)) remaining++;
      return;
    }
    const at = locate(database, key, entry, revision);
    if (at) found.push([key, at]);
  });
  const items: StoredValue[] = [];
  const read = (from: number): Promise<(ChangeRecord | undefined)[]> =>
    database.readRecords(found.slice(from, from + valuesAtOnce).map(([, at]) => at.revision));
  let next = read(0);
  for (let i = 0; i < found.length; i += valuesAtOnce) {
    const piece = found.slice(i, i + valuesAtOnce);
    const records = await next;
    // While these are looked at, the disk brings the next ones.
    next = read(i + valuesAtOnce);
    // Whoever fails first is told; the other must not be an unhandled rejection.
    next.catch(() => undefined);
    for (const [j, [key, at]] of piece.entries()) {
      const { value } = present(records[j], key, at.revision);
      items.push({ key, value, revision: at.revision, createRevision: at.createRevision });
    }
  }
  const last = items.at(-1);
  return remaining > 0 && last ? { items, revision, nextKey: last.key, remaining } : { items, revision };
}

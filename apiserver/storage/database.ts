import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Level } from 'level';
import { decodeRecord, type ChangeRecord } from './change-record.js';
import { syncDirectory } from './disk.js';
import { decodeHead, type Head } from './head-record.js';
import { decodeEntry, type IndexEntry } from './index-entry.js';
import { StorageLockedError } from './storage.js';

/*
 *   h             head record
 *   k<key>        index entry of a key
 *   r<revision>   change record, revision as 12 hexadecimal digits
 */
const headKey = 'h';
export const entryKey = (key: string): string => `k${key}`;
export const recordKey = (revision: number): string => `r${revision.toString(16).padStart(12, '0')}`;
export { headKey };

export type Operation = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

/** LevelDB's log buffer: what a crash makes it replay is at most twice this. */
export const writeBufferBytes = 4 * 1024 * 1024;

type Ordered = { gt?: string; gte?: string; lt?: string; lte?: string; reverse?: boolean };

/** What the store needs of {@link LevelDatabase}; tests put faults in between. */
export interface Database extends Pick<LevelDatabase, keyof LevelDatabase> {}

/** The LevelDB files: typed reads that check what they read, and one synced write. */
export class LevelDatabase {
  readonly #level: Level<string, Buffer>;

  private constructor(level: Level<string, Buffer>) {
    this.#level = level;
  }

  static async open(directory: string): Promise<LevelDatabase> {
    if (!existsSync(directory)) await create(directory);
    return new LevelDatabase(await openLevel(directory));
  }

  async readHead(): Promise<Head | undefined> {
    const bytes = (await this.#level.get(headKey)) as Buffer | undefined;
    return bytes && decodeHead(bytes);
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#level.keys({ limit: 1 }).all()).length === 0;
  }

  /** Blocks for a read of one record: microseconds when cached, one disk read otherwise. */
  readRecord(revision: number): ChangeRecord | undefined {
    const bytes = this.#level.getSync(recordKey(revision)) as Buffer | undefined;
    return bytes && decodeRecord(bytes, revision);
  }

  async readRecords(revisions: readonly number[]): Promise<(ChangeRecord | undefined)[]> {
    const found: (Buffer | undefined)[] = await this.#level.getMany(revisions.map(recordKey));
    return found.map((bytes, i) => bytes && decodeRecord(bytes, revisions[i] ?? 0));
  }

  /** All index entries in key order. */
  async *entries(): AsyncGenerator<[key: string, entry: IndexEntry][]> {
    for await (const chunk of this.#scan({ gt: 'k', lt: 'l' }, 2000)) {
      yield chunk.map(([key, bytes]) => [key.slice(1), decodeEntry(key.slice(1), bytes)]);
    }
  }

  /** Change records from the newest to the oldest. */
  async *recordsBackwards(): AsyncGenerator<ChangeRecord> {
    for await (const chunk of this.#scan({ gt: 'r', lt: 's', reverse: true }, 200)) {
      for (const [key, bytes] of chunk) yield decodeRecord(bytes, Number.parseInt(key.slice(1), 16));
    }
  }

  /** Writes all or nothing, on disk when it resolves. */
  async write(operations: Operation[]): Promise<void> {
    // Chained costs half of what an array of operations does.
    const batch = this.#level.batch();
    for (const operation of operations) {
      if (operation.type === 'put') batch.put(operation.key, operation.value);
      else batch.del(operation.key);
    }
    await batch.write({ sync: true });
  }

  async close(): Promise<void> {
    await this.#level.close();
  }

  async *#scan(range: Ordered, chunkSize: number): AsyncGenerator<[string, Buffer][]> {
    const iterator = this.#level.iterator({ ...range, highWaterMarkBytes: 1024 * 1024 });
    try {
      for (;;) {
        const chunk = (await iterator.nextv(chunkSize)) as [string, Buffer][];
        if (chunk.length === 0) return;
        yield chunk;
      }
    } finally {
      await iterator.close();
    }
  }
}

/** LevelDB does not sync all of a new database: it is made beside its place, and gets its name when it is whole on disk. */
async function create(directory: string): Promise<void> {
  const unfinished = `${directory}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  await (await openLevel(unfinished)).close();
  renameSync(unfinished, directory);
  syncDirectory(dirname(directory));
}

async function openLevel(directory: string): Promise<Level<string, Buffer>> {
  const level = new Level<string, Buffer>(directory, {
    keyEncoding: 'utf8',
    valueEncoding: 'buffer',
    writeBufferSize: writeBufferBytes,
    cacheSize: 8 * 1024 * 1024,
  });
  try {
    await level.open();
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as { code?: string; message?: string } | undefined) : undefined;
    if (cause?.code === 'LEVEL_LOCKED') throw new StorageLockedError(`another process has ${directory} open`);
    throw new Error(`cannot open the store in ${directory}: ${cause?.message ?? String(error)}`, { cause: error });
  }
  return level;
}

import { join } from 'node:path';
import { AcknowledgedFile } from './acknowledged-file.js';
import { headKey, LevelDatabase, type Database } from './database.js';
import { DirectoryLock, heldBy } from './directory-lock.js';
import { makeDirectory } from './disk.js';
import { encodeHead, type Head } from './head-record.js';
import { readEvents } from './history.js';
import { StorageLockedError, type StorageEvent } from './storage.js';
import { loadVerified, type LoadedState } from './verification.js';

/** Opens LevelDB's files in a directory. */
export type OpenDatabase = (path: string) => Promise<Database>;

/** A directory that is this process's own, and what was found in it whole. */
export interface OpenedStore {
  readonly lock: DirectoryLock;
  readonly acknowledged: AcknowledgedFile;
  readonly database: Database;
  readonly state: LoadedState;
}

/** What was found when the files were opened again. */
export interface ReopenedStore extends Pick<OpenedStore, 'database' | 'state'> {
  /** What turned out to be kept beyond the last write that was acknowledged. */
  readonly events: readonly StorageEvent[];
}

const eventsAtOnce = 64;
const levelPath = (directory: string): string => join(directory, 'level');
export const openLevel: OpenDatabase = (path) => LevelDatabase.open(path);

/**
 * Takes the directory, verifies what is in it and writes down that it has a new owner. Throws StorageLockedError when another
 * process has it, StorageCorruptError when anything that was acknowledged is missing or damaged.
 */
export async function openStore(directory: string, openDatabase: OpenDatabase): Promise<OpenedStore> {
  makeDirectory(directory);
  const lock = await DirectoryLock.acquire(directory);
  const acknowledged = AcknowledgedFile.open(join(directory, 'acknowledged'));
  let database: Database | undefined;
  try {
    database = await openDatabase(levelPath(directory));
    const { head, index } = await loadVerified(database, acknowledged.read());
    const owned = { ...head, epoch: Math.max(head.epoch, lock.lastEpoch()) + 1 };
    lock.claim(owned.epoch);
    await writeHead(database, acknowledged, owned);
    return { lock, acknowledged, database, state: { head: owned, index } };
  } catch (error) {
    await database?.close();
    acknowledged.close();
    await lock.release();
    throw error instanceof StorageLockedError ? heldBy(directory) : error;
  }
}

/**
 * Opens the files again after a failure and verifies that all that was acknowledged, `last`, is there, and that the records
 * `suspects` are whole; the lock is held all the while. What it cannot vouch for it closes again, and throws.
 */
export async function reopenStore(
  { directory, acknowledged }: { readonly directory: string; readonly acknowledged: AcknowledgedFile },
  openDatabase: OpenDatabase,
  last: Pick<Head, 'revision' | 'chain'>,
  suspects: ReadonlySet<number>,
): Promise<ReopenedStore> {
  const database = await openDatabase(levelPath(directory));
  try {
    const state = await loadVerified(database, last);
    await database.readRecords([...suspects]);
    const { revision } = state.head;
    const events: StorageEvent[] = [];
    for (let from = last.revision; from < revision; from += eventsAtOnce) {
      events.push(...(await readEvents(database, '', from, Math.min(from + eventsAtOnce, revision))));
    }
    await writeHead(database, acknowledged, state.head);
    return { database, state, events };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function writeHead(database: Database, acknowledged: AcknowledgedFile, head: Head): Promise<void> {
  await database.write([{ type: 'put', key: headKey, value: encodeHead(head) }]);
  acknowledged.write(head);
}

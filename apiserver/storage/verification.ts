import type { Acknowledged } from './acknowledged-file.js';
import { type Database, writeBufferBytes } from './database.js';
import { emptyHead, type Head, type IndexSum } from './head-record.js';
import { addEntry, isSameSum } from './index-entry.js';
import { KeyIndex } from './key-index.js';
import { StorageCorruptError } from './storage.js';

/** What an open store keeps in memory. */
export interface LoadedState {
  readonly head: Head;
  readonly index: KeyIndex;
}

/** A crash makes LevelDB replay two logs of this size at most; older records lie in tables, which it never drops silently. */
const verifiedTailBytes = 3 * writeBufferBytes;

/**
 * Reads the index and proves that nothing acknowledged is missing, as far as that can be known without reading every value:
 * each index entry by its checksum, all of them together by the head's sum, the records that LevelDB may have replayed by the
 * chain, and the end of the chain by the witness. Older values are checked when they are read.
 */
export async function loadVerified(database: Database, acknowledged: Acknowledged | undefined): Promise<LoadedState> {
  const stored = await database.readHead();
  if (!stored && !(await database.isEmpty())) throw lost('the head record is missing');
  const head = stored ?? emptyHead;
  if (acknowledged && acknowledged.revision > head.revision)
    throw lost(`acknowledged writes ${head.revision + 1} to ${acknowledged.revision} are missing`);
  const [index] = await Promise.all([loadIndex(database, head), verifyTail(database, head, acknowledged)]);
  return { head, index };
}

async function loadIndex(database: Database, head: Head): Promise<KeyIndex> {
  const index = new KeyIndex();
  let sum: IndexSum = emptyHead.sum;
  for await (const entries of database.entries()) {
    for (const [key, entry] of entries) {
      index.set(key, entry);
      sum = addEntry(sum, key, entry, 1);
    }
  }
  if (!isSameSum(sum, head.sum))
    throw lost(`the index has ${sum.count} entries that do not add up to the ${head.sum.count} written`);
  return index;
}

/** Walks the chain back from the head: all revisions there, each naming the digest of the one before. */
async function verifyTail(database: Database, head: Head, acknowledged: Acknowledged | undefined): Promise<void> {
  let revision = head.revision;
  let digest = head.chain;
  let bytes = 0;
  if (acknowledged?.revision === revision && !acknowledged.chain.equals(digest)) throw otherChain(revision);
  for await (const record of database.recordsBackwards()) {
    if (revision <= head.compactedRevision || bytes > verifiedTailBytes) return;
    if (record.revision !== revision) throw lost(`the record of revision ${revision} is missing`);
    if (!record.digest.equals(digest)) throw otherChain(revision);
    if (acknowledged?.revision === revision && !acknowledged.chain.equals(digest)) throw otherChain(revision);
    revision--;
    digest = record.previousDigest;
    bytes += record.sizeBytes;
  }
  if (revision > head.compactedRevision) throw lost(`the record of revision ${revision} is missing`);
}

const remedy = 'the store refuses to serve what may be wrong; see docs/storage.md, "Recovery"';
const lost = (what: string): StorageCorruptError => new StorageCorruptError(`${what}: ${remedy}`);
const otherChain = (revision: number): StorageCorruptError =>
  lost(`the record of revision ${revision} is not the one that was acknowledged`);

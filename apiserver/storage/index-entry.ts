import type { IndexSum } from './head-record.js';
import { StorageCorruptError } from './storage.js';

/** Where the latest record of a key is. */
export interface IndexEntry {
  readonly revision: number;
  readonly createRevision: number;
  /** The latest record is a delete; such an entry stays until the delete is compacted. */
  readonly isDeleted: boolean;
}

const entryBytes = 21;

export function encodeEntry(key: string, entry: IndexEntry): Buffer {
  const bytes = Buffer.allocUnsafe(entryBytes);
  const [low, high] = hashEntry(key, entry);
  bytes.writeUInt32BE(low, 0);
  bytes.writeUInt32BE(high, 4);
  bytes.writeUIntBE(entry.revision, 8, 6);
  bytes.writeUIntBE(entry.createRevision, 14, 6);
  bytes[20] = entry.isDeleted ? 1 : 0;
  return bytes;
}

export function decodeEntry(key: string, bytes: Buffer): IndexEntry {
  if (bytes.length !== entryBytes) throw damagedEntry(key);
  const entry = {
    revision: bytes.readUIntBE(8, 6),
    createRevision: bytes.readUIntBE(14, 6),
    isDeleted: bytes[20] === 1,
  };
  const [low, high] = hashEntry(key, entry);
  if (bytes.readUInt32BE(0) !== low || bytes.readUInt32BE(4) !== high) throw damagedEntry(key);
  return entry;
}

/** The sum after an entry came (`direction` 1) or went (-1). */
export function addEntry(sum: IndexSum, key: string, entry: IndexEntry, direction: 1 | -1): IndexSum {
  const [low, high] = hashEntry(key, entry);
  return {
    count: sum.count + direction,
    low: (sum.low + direction * low) >>> 0,
    high: (sum.high + direction * high) >>> 0,
  };
}

export const isSameSum = (a: IndexSum, b: IndexSum): boolean =>
  a.count === b.count && a.low === b.low && a.high === b.high;

/** Two multiplicative lanes over key, revisions and state, mixed at the end; against accidents, not against forgers. */
function hashEntry(key: string, entry: IndexEntry): [low: number, high: number] {
  let low = 0x9e3779b9;
  let high = 0x85ebca77;
  const mix = (word: number): void => {
    low = Math.imul(low ^ word, 0x01000193);
    high = Math.imul((high << 5) ^ (high >>> 27) ^ word, 0x27d4eb2f);
  };
  for (let i = 0; i < key.length; i++) mix(key.charCodeAt(i));
  mix(entry.revision >>> 0);
  mix(Math.floor(entry.revision / 0x1_0000_0000));
  mix(entry.createRevision >>> 0);
  mix(Math.floor(entry.createRevision / 0x1_0000_0000));
  mix(entry.isDeleted ? 1 : 2);
  low = Math.imul(low ^ (high >>> 15), 0x2c1b3c6d);
  high = Math.imul(high ^ (low >>> 13), 0x297a2d39);
  return [(low ^ (high >>> 16)) >>> 0, (high ^ (low >>> 16)) >>> 0];
}

function damagedEntry(key: string): StorageCorruptError {
  return new StorageCorruptError(
    `the index entry of ${JSON.stringify(key)} fails its checksum; see docs/storage.md, "Recovery"`,
  );
}

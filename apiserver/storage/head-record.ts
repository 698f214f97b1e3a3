import { chainStart, digestOf } from './change-record.js';
import { StorageCorruptError } from './storage.js';

/** What the whole store is at one revision; rewritten by every batch, so that a batch that got lost or torn is noticed. */
export interface Head {
  readonly revision: number;
  readonly compactedRevision: number;
  /** Digest of the record of `revision`. */
  readonly chain: Buffer;
  /** Sum over all index entries ({@link IndexSum}); entries of deleted keys included. */
  readonly sum: IndexSum;
  /** Size of all records above the compacted revision. */
  readonly historyBytes: number;
  /** Time of the last record; times never go back. */
  readonly timeMs: number;
  /** Counts the owners that this store has had. */
  readonly epoch: number;
}

/** Number and 64-bit sum of hashes of index entries: one that is missing, old or foreign changes it. */
export interface IndexSum {
  readonly count: number;
  readonly low: number;
  readonly high: number;
}

export const emptyHead: Head = {
  revision: 0,
  compactedRevision: 0,
  chain: chainStart,
  sum: { count: 0, low: 0, high: 0 },
  historyBytes: 0,
  timeMs: 0,
  epoch: 0,
};

const headBytes = 16 + 16 + 6 * 6 + 8;

export function encodeHead(head: Head): Buffer {
  const bytes = Buffer.alloc(headBytes);
  head.chain.copy(bytes, 16);
  const numbers = [
    head.revision,
    head.compactedRevision,
    head.sum.count,
    head.historyBytes,
    head.timeMs,
    head.epoch,
  ] as const;
  numbers.forEach((number, i) => bytes.writeUIntBE(number, 32 + 6 * i, 6));
  bytes.writeUInt32BE(head.sum.low, 68);
  bytes.writeUInt32BE(head.sum.high, 72);
  digestOf(bytes.subarray(16)).copy(bytes);
  return bytes;
}

export function decodeHead(bytes: Buffer): Head {
  if (bytes.length !== headBytes || !digestOf(bytes.subarray(16)).equals(bytes.subarray(0, 16)))
    throw new StorageCorruptError('the head record fails its checksum; see docs/storage.md, "Recovery"');
  const number = (i: number): number => bytes.readUIntBE(32 + 6 * i, 6);
  return {
    revision: number(0),
    compactedRevision: number(1),
    chain: bytes.subarray(16, 32),
    sum: { count: number(2), low: bytes.readUInt32BE(68), high: bytes.readUInt32BE(72) },
    historyBytes: number(3),
    timeMs: number(4),
    epoch: number(5),
  };
}

import { hash } from 'node:crypto';
import { StorageCorruptError } from './storage.js';

/** One write: what it did, the bytes, and its place in the chain. */
export interface ChangeRecord {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  readonly createRevision: number;
  /** Revision of the record of the same key before this one (a delete included); 0 when there was none. */
  readonly previousRevision: number;
  readonly timeMs: number;
  readonly value: Buffer;
  /** Digest of the record of `revision - 1`. */
  readonly previousDigest: Buffer;
  /** Digest of this record, `previousDigest` included: checksum and link of the chain in one. */
  readonly digest: Buffer;
  readonly sizeBytes: number;
}

/*
 *   0       16               32      33   34        40              46                 52      58          60
 *   | digest | previousDigest | format | type | revision | createRevision | previousRevision | time | keyLength | key | value |
 *            \_______________ SHA-256 of this, cut to 16 bytes, is the digest ______________________________________/
 *
 * SHA-256 through node:crypto takes 2.5 us for 3.2 KB, a CRC32C table in JavaScript 6.5 us.
 */
const digestBytes = 16;
const headerBytes = 60;
const formatVersion = 1;
const types = ['put', 'delete'] as const;

/** The chain starts from here. */
export const chainStart: Buffer = Buffer.alloc(digestBytes);

/** The keys that fit into the record's header. */
export const maxKeyBytes = 4096;

export function encodeRecord(record: Omit<ChangeRecord, 'digest' | 'sizeBytes'>): { bytes: Buffer; digest: Buffer } {
  const keyLength = Buffer.byteLength(record.key);
  const bytes = Buffer.allocUnsafe(headerBytes + keyLength + record.value.length);
  record.previousDigest.copy(bytes, digestBytes);
  bytes[32] = formatVersion;
  bytes[33] = types.indexOf(record.type);
  bytes.writeUIntBE(record.revision, 34, 6);
  bytes.writeUIntBE(record.createRevision, 40, 6);
  bytes.writeUIntBE(record.previousRevision, 46, 6);
  bytes.writeUIntBE(record.timeMs, 52, 6);
  bytes.writeUInt16BE(keyLength, 58);
  bytes.write(record.key, headerBytes);
  record.value.copy(bytes, headerBytes + keyLength);
  const digest = digestOf(bytes.subarray(digestBytes));
  digest.copy(bytes);
  return { bytes, digest };
}

/** Reads a record back; throws StorageCorruptError when a single bit differs from what was written. */
export function decodeRecord(bytes: Buffer, revision: number): ChangeRecord {
  if (bytes.length < headerBytes) throw damaged(bytes, revision, 'is cut short');
  const digest = bytes.subarray(0, digestBytes);
  if (!digestOf(bytes.subarray(digestBytes)).equals(digest)) throw damaged(bytes, revision, 'fails its checksum');
  if (bytes[32] !== formatVersion) throw damaged(bytes, revision, `has format ${bytes[32]}, known is ${formatVersion}`);
  if (bytes.readUIntBE(34, 6) !== revision)
    throw damaged(bytes, revision, `holds revision ${bytes.readUIntBE(34, 6)} instead`);
  const keyEnd = headerBytes + bytes.readUInt16BE(58);
  return {
    type: types[bytes[33] ?? 0] ?? 'put',
    key: bytes.toString('utf8', headerBytes, keyEnd),
    revision,
    createRevision: bytes.readUIntBE(40, 6),
    previousRevision: bytes.readUIntBE(46, 6),
    timeMs: bytes.readUIntBE(52, 6),
    value: bytes.subarray(keyEnd),
    previousDigest: bytes.subarray(digestBytes, 2 * digestBytes),
    digest,
    sizeBytes: bytes.length,
  };
}

/** SHA-256 cut to 16 bytes: 2^-128 is out of reach for flipped bits. */
export function digestOf(bytes: Buffer): Buffer {
  return hash('sha256', bytes, 'buffer').subarray(0, digestBytes);
}

function damaged(bytes: Buffer, revision: number, what: string): StorageCorruptError {
  const key =
    bytes.length > headerBytes ? bytes.toString('utf8', headerBytes, headerBytes + bytes.readUInt16BE(58)) : '';
  const named = key.startsWith('/') ? ` of ${JSON.stringify(key)}` : '';
  return new StorageCorruptError(
    `the record of revision ${revision}${named} ${what}; see docs/storage.md, "Recovery"`,
    revision,
  );
}

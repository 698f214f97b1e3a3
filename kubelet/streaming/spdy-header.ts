import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';

import dictionaries from 'spdy-transport/lib/spdy-transport/protocol/spdy/dictionary.js';

/** The dictionary that SPDY/3.1 prescribes. */
const DICTIONARY = dictionaries['3.1'] ?? Buffer.alloc(0);
const WINDOW_BYTES = 32 * 1024;
/** Decompressed; Kubernetes' blocks have some hundred bytes. */
const MAX_BLOCK_BYTES = 32 * 1024;
const MAX_HEADERS = 64;
const ZLIB_HEADER_BYTES = 2;
const DICTIONARY_ID_BYTES = 4;
const HAS_DICTIONARY = 0x20;

export type SpdyHeaders = ReadonlyMap<string, string>;

/**
 * Reads the header blocks of one connection, which are one zlib stream cut at sync flushes: each is a raw deflate piece
 * whose history is what came before it.
 */
export class HeaderReader {
  #history: Buffer | undefined;

  /** Throws on anything that is not a small, sound block. */
  read(block: Buffer): SpdyHeaders {
    let piece = block;
    if (this.#history === undefined) {
      this.#history = ((block[1] ?? 0) & HAS_DICTIONARY) !== 0 ? DICTIONARY : Buffer.alloc(0);
      piece = block.subarray(ZLIB_HEADER_BYTES + (this.#history.length > 0 ? DICTIONARY_ID_BYTES : 0));
    }
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_BLOCK_BYTES };
    const dictionary = this.#history.length > 0 ? { dictionary: this.#history } : {};
    const text = inflateRawSync(piece, { ...options, ...dictionary });
    this.#history = Buffer.concat([this.#history, text]).subarray(-WINDOW_BYTES);
    return parseBlock(text);
  }
}

/** Writes header blocks that use no history: a legal, if not the smallest, zlib stream. */
export class HeaderWriter {
  #isFirst = true;

  write(headers: Readonly<Record<string, string>>): Buffer {
    const piece = deflateRawSync(formatBlock(headers), { finishFlush: constants.Z_SYNC_FLUSH });
    if (!this.#isFirst) return piece;
    this.#isFirst = false;
    return Buffer.concat([zlibHeader(), piece]);
  }
}

/** Deflate with a window of 32 KB and a preset dictionary, named by its Adler-32. */
function zlibHeader(): Buffer {
  const header = Buffer.alloc(ZLIB_HEADER_BYTES + DICTIONARY_ID_BYTES);
  header[0] = 0x78;
  const flags = HAS_DICTIONARY | 0x80;
  header[1] = flags + (31 - ((0x78 * 256 + flags) % 31));
  header.writeUInt32BE(adler32(DICTIONARY), ZLIB_HEADER_BYTES);
  return header;
}

function adler32(data: Buffer): number {
  let a = 1;
  let b = 0;
  for (const byte of data) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return (b * 65536 + a) >>> 0;
}

function parseBlock(text: Buffer): SpdyHeaders {
  const headers = new Map<string, string>();
  let offset = 4;
  const count = text.readUInt32BE(0);
  if (count > MAX_HEADERS) throw new Error(`${count} headers in a block`);
  const next = (): string => {
    const length = text.readUInt32BE(offset);
    offset += 4 + length;
    if (offset > text.length) throw new Error('a header is longer than its block');
    return text.toString('utf8', offset - length, offset);
  };
  for (let index = 0; index < count; index++) headers.set(next().toLowerCase(), next());
  return headers;
}

function formatBlock(headers: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(headers);
  const sized = (text: string): Buffer => {
    const bytes = Buffer.from(text);
    return Buffer.concat([uint32(bytes.length), bytes]);
  };
  return Buffer.concat([uint32(entries.length), ...entries.flatMap(([name, value]) => [sized(name), sized(value)])]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

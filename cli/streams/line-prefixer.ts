/** Puts a prefix in front of every line of a stream of bytes; lines of several streams never mix within a line. */
export class LinePrefixer {
  readonly #prefix: Buffer;
  #rest: Buffer = Buffer.alloc(0);

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix);
  }

  /** Whole lines out of what came so far. */
  push(chunk: Buffer): Buffer {
    if (this.#prefix.length === 0) return chunk;
    const bytes = Buffer.concat([this.#rest, chunk]);
    const pieces: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      pieces.push(this.#prefix, bytes.subarray(start, end + 1));
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    return Buffer.concat(pieces);
  }

  /** The last line, when it has no end. */
  end(): Buffer {
    return this.#rest.length === 0 ? this.#rest : Buffer.concat([this.#prefix, this.#rest]);
  }
}

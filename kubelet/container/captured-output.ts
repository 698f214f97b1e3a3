import { Writable } from 'node:stream';

/** Keeps the first bytes of what a command prints; the rest is let go, so that the command never blocks. */
export class CapturedOutput extends Writable {
  readonly #limitBytes: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(limitBytes = 10 * 1024) {
    super();
    this.#limitBytes = limitBytes;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const room = this.#limitBytes - this.#size;
    if (room > 0) this.#chunks.push(chunk.subarray(0, room));
    this.#size += Math.min(room, chunk.length);
    done();
  }
}

import type { Writable } from 'node:stream';

/** Writes and waits until the stream takes more; rejects when it was closed or failed meanwhile. */
export function writeAndDrain(stream: Writable, chunk: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return Promise.reject(new Error('the output is closed'));
  if (stream.write(chunk)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      stream.off('drain', onDrain).off('close', onClose).off('error', settle);
      if (error) reject(error);
      else resolve();
    };
    const onDrain = (): void => settle();
    const onClose = (): void => settle(new Error('the output is closed'));
    stream.on('drain', onDrain).on('close', onClose).on('error', settle);
  });
}

/** An output that takes at most so many bytes. */
export class BoundedOutput {
  readonly #stream: Writable;
  #left: number;

  constructor(stream: Writable, limitBytes = Infinity) {
    this.#stream = stream;
    this.#left = limitBytes;
  }

  get full(): boolean {
    return this.#left <= 0;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.full || chunk.length === 0) return;
    const part = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
    this.#left -= part.length;
    await writeAndDrain(this.#stream, part);
  }
}

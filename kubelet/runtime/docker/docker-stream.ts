import type { Readable, Writable } from 'node:stream';

import { writeAndDrain } from '../bounded-output.js';

const HEADER_BYTES = 8;

/** A piece of a multiplexed stream; `begins` and `ends` tell whether it is the first and the last of its frame. */
export interface FramePiece {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
  readonly begins: boolean;
}

/** Takes Docker's multiplexed stream apart: frames of [type, 0, 0, 0, length (4 bytes)] and data. Never buffers a frame. */
export class FrameParser {
  #header = Buffer.alloc(0);
  #left = 0;
  #stream: 'stdout' | 'stderr' = 'stdout';
  #begins = true;

  *push(chunk: Buffer): Generator<FramePiece> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#left === 0) {
        const missing = HEADER_BYTES - this.#header.length;
        this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (this.#header.length < HEADER_BYTES) return;
        this.#stream = this.#header[0] === 2 ? 'stderr' : 'stdout';
        this.#left = this.#header.readUInt32BE(4);
        this.#header = Buffer.alloc(0);
        this.#begins = true;
        continue;
      }
      const data = rest.subarray(0, this.#left);
      rest = rest.subarray(data.length);
      this.#left -= data.length;
      yield { stream: this.#stream, data, begins: this.#begins };
      this.#begins = false;
    }
  }
}

/** The far end of exec or attach: where input comes from and output goes to. */
export interface Terminal {
  readonly tty: boolean;
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly signal?: AbortSignal;
  /** The end of input is not passed on: the engine would end the output with it. */
  readonly keepsInputOpen?: boolean;
}

/**
 * Joins a hijacked connection with a terminal until the engine ends it, an output closes, or the signal aborts. Input's end
 * is passed on as a half-close, unless it is to stay open. Ends the outputs when all was written.
 */
export async function join(connection: NodeJS.ReadWriteStream, terminal: Terminal): Promise<void> {
  const socket = connection as NodeJS.ReadWriteStream & { destroy(): void };
  const { tty, stdin, stdout, stderr, signal, keepsInputOpen = false } = terminal;
  const destroy = (): void => socket.destroy();
  const halfClose = (): void => void (keepsInputOpen || socket.end());
  // The reading side below sees the failure too; without a listener it would end the process.
  socket.on('error', destroy);
  signal?.addEventListener('abort', destroy, { once: true });
  stdin?.on('error', halfClose).pipe(socket, { end: !keepsInputOpen });
  try {
    const parser = new FrameParser();
    for await (const chunk of socket) {
      if (tty) {
        if (stdout) await writeAndDrain(stdout, chunk as Buffer);
        continue;
      }
      for (const { stream, data } of parser.push(chunk as Buffer)) {
        const output = stream === 'stderr' ? stderr : stdout;
        if (output) await writeAndDrain(output, data);
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    stdin?.off('error', halfClose).unpipe(socket);
    signal?.removeEventListener('abort', destroy);
    destroy();
  }
  signal?.throwIfAborted();
  stdout?.end();
  stderr?.end();
}

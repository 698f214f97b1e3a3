import { Readable, Writable } from 'node:stream';

import type { RawData, WebSocket } from 'ws';

/** In version 5 this channel carries the numbers of channels whose sender has finished. */
const CLOSE_CHANNEL = 255;

export interface ChannelEncoding {
  readonly isBase64: boolean;
  /** Version 5: half-close of a channel by signal. */
  readonly hasCloseSignal: boolean;
}

/**
 * Numbered byte channels over one WebSocket, as in the original: the first byte of a message is the channel (a digit in the
 * base64 variants). Reading is slowed down by pausing the whole connection.
 */
export class ChannelSocket {
  readonly #socket: WebSocket;
  readonly #encoding: ChannelEncoding;
  readonly #inputs = new Map<number, Readable>();
  readonly #gone = new AbortController();
  /** Inputs that have no room; the connection is paused while there are any. */
  readonly #full = new Set<Readable>();

  constructor(socket: WebSocket, encoding: ChannelEncoding) {
    this.#socket = socket;
    this.#encoding = encoding;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('close', () => this.#close());
    // 'close' follows; a breach of the protocol has made ws answer and close.
    socket.on('error', () => undefined);
  }

  /** Aborts when the connection is over, whoever ended it. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  input(channel: number): Readable {
    const input = new Readable({
      read: () => {
        if (this.#full.delete(input) && this.#full.size === 0) this.#socket.resume();
      },
    });
    this.#inputs.set(channel, input);
    return input;
  }

  /**
   * Ending it tells nothing to the client: there is no signal for that direction. What is written while the connection
   * closes is lost without an error: `gone` tells of the end.
   */
  output(channel: number): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, callback) => this.send(channel, chunk, () => callback()),
    });
  }

  send(channel: number, data: Buffer, callback?: () => void): void {
    if (this.#encoding.isBase64) this.#socket.send(`${channel}${data.toString('base64')}`, callback);
    else this.#socket.send(Buffer.concat([Buffer.from([channel]), data]), callback);
  }

  close(): void {
    this.#socket.close(1000);
  }

  #receive(data: RawData, isBinary: boolean): void {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
    if (bytes.length === 0) return;
    const first = bytes[0] ?? 0;
    if (this.#encoding.isBase64 && !isBinary) {
      this.#deliver(first - 0x30, Buffer.from(bytes.toString('latin1', 1), 'base64'));
    } else if (this.#encoding.hasCloseSignal && first === CLOSE_CHANNEL) {
      for (const channel of bytes.subarray(1)) this.#endInput(channel);
    } else {
      this.#deliver(first, bytes.subarray(1));
    }
  }

  #deliver(channel: number, data: Buffer): void {
    const input = this.#inputs.get(channel);
    if (!input || data.length === 0) return;
    if (!input.push(data)) {
      this.#full.add(input);
      this.#socket.pause();
    }
  }

  #endInput(channel: number): void {
    const input = this.#inputs.get(channel);
    if (!this.#inputs.delete(channel)) return;
    input?.push(null);
  }

  #close(): void {
    for (const channel of this.#inputs.keys()) this.#endInput(channel);
    this.#gone.abort();
  }
}

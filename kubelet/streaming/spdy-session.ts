import { Duplex } from 'node:stream';

import { controlFrame, dataFrame, flagFin, FrameReader, frameType, resetStatus, uint32s } from './spdy-frame.js';
import type { ControlFrame } from './spdy-frame.js';
import { HeaderReader, HeaderWriter, type SpdyHeaders } from './spdy-header.js';

const MAX_DATA_FRAME_BYTES = 64 * 1024;
/** No credit of a client that has flow control comes near; Kubernetes' clients have none and expect none. */
const CREDIT_BYTES = 32 * 1024;

/** One stream that the client has opened: its headers, and bytes both ways with half-close. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #session: SpdySession;
  #wake: (() => void) | undefined;
  #consumed = 0;

  constructor(session: SpdySession, id: number, headers: SpdyHeaders) {
    super({ allowHalfOpen: true });
    this.#session = session;
    this.id = id;
    this.headers = headers;
    // A reset stream has nobody to tell; its users see the close.
    this.on('error', () => undefined);
  }

  /** Takes data from the wire; resolves when there is room for more. */
  async feed(data: Buffer, isLast: boolean): Promise<void> {
    if (this.destroyed || this.readableEnded) return;
    const hasRoom = data.length === 0 || this.push(data);
    this.#grant(data.length);
    if (isLast) this.push(null);
    else if (!hasRoom) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  override _read(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#session.sendData(this.id, chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#session.sendFin(this.id, callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this._read();
    this.#session.forget(this, !this.readableEnded || !this.writableFinished);
    callback(error);
  }

  #grant(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed < CREDIT_BYTES) return;
    this.#session.grant(this.id, this.#consumed);
    this.#consumed = 0;
  }
}

export interface SpdySessionOptions {
  readonly maxStreams: number;
  /** Takes a new stream, or throws to have it refused. */
  readonly onStream: (stream: SpdyStream) => void;
}

/**
 * The server's side of SPDY/3.1 as Kubernetes uses it: the client opens streams with headers that say what they are for.
 * One slow stream holds up the connection, as in the original (its SPDY has no flow control); memory stays bounded.
 */
export class SpdySession {
  readonly #socket: Duplex;
  readonly #options: SpdySessionOptions;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #reader = new HeaderReader();
  readonly #writer = new HeaderWriter();
  #lastStreamId = 0;
  /** SETTINGS came: this client counts windows. */
  #hasFlowControl = false;

  constructor(socket: Duplex, options: SpdySessionOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Serves until the client goes, or breaks the protocol (which closes the connection and rejects). */
  async serve(): Promise<void> {
    const frames = new FrameReader();
    this.#socket.on('error', () => undefined);
    try {
      for await (const chunk of this.#socket) {
        for (const frame of frames.push(chunk as Buffer)) {
          if (frame.kind === 'control') this.#control(frame);
          else await this.#streams.get(frame.streamId)?.feed(frame.data, frame.isLast);
        }
      }
    } finally {
      for (const stream of this.#streams.values()) stream.destroy();
      this.#socket.destroy();
    }
  }

  /** Tells the client that no further streams are served; it closes when it has read what is on the way. */
  sayGoodbye(): void {
    this.#send(controlFrame(frameType.goAway, 0, uint32s(this.#lastStreamId, 0)));
  }

  sendData(streamId: number, data: Buffer, callback: (error?: Error | null) => void): void {
    for (let offset = 0; offset + MAX_DATA_FRAME_BYTES < data.length; offset += MAX_DATA_FRAME_BYTES) {
      this.#send(dataFrame(streamId, 0, data.subarray(offset, offset + MAX_DATA_FRAME_BYTES)));
    }
    const sent = Math.floor(Math.max(0, data.length - 1) / MAX_DATA_FRAME_BYTES) * MAX_DATA_FRAME_BYTES;
    this.#send(dataFrame(streamId, 0, data.subarray(sent)), callback);
  }

  sendFin(streamId: number, callback: (error?: Error | null) => void): void {
    this.#send(dataFrame(streamId, flagFin, Buffer.alloc(0)), callback);
  }

  /** A stream is over; `isReset` when the client does not know yet. */
  forget(stream: SpdyStream, isReset: boolean): void {
    if (!this.#streams.delete(stream.id) || !isReset) return;
    this.#send(controlFrame(frameType.reset, 0, uint32s(stream.id, resetStatus.cancel)));
  }

  grant(streamId: number, bytes: number): void {
    if (!this.#hasFlowControl) return;
    this.#send(controlFrame(frameType.windowUpdate, 0, uint32s(streamId, bytes)));
    this.#send(controlFrame(frameType.windowUpdate, 0, uint32s(0, bytes)));
  }

  #control({ type, flags, payload }: ControlFrame): void {
    switch (type) {
      case frameType.synStream:
        return this.#open(payload, (flags & flagFin) !== 0);
      case frameType.reset:
        return void this.#streams.get(payload.readUInt32BE(0))?.destroy();
      case frameType.ping:
        // Ours would have even ids; we send none.
        return this.#send(controlFrame(frameType.ping, 0, payload.subarray(0, 4)));
      case frameType.settings:
        this.#hasFlowControl = true;
        return;
      case frameType.headers:
        // Its block is part of the connection's one compressed stream.
        return void this.#reader.read(payload.subarray(4));
      default:
        return;
    }
  }

  #open(payload: Buffer, isFinished: boolean): void {
    const id = payload.readUInt32BE(0) & 0x7fffffff;
    const headers = this.#reader.read(payload.subarray(10));
    if (id % 2 !== 1 || id <= this.#lastStreamId) throw new Error(`stream id ${id} after ${this.#lastStreamId}`);
    this.#lastStreamId = id;
    if (this.#streams.size >= this.#options.maxStreams) return this.#refuse(id);
    const stream = new SpdyStream(this, id, headers);
    this.#streams.set(id, stream);
    // The reply goes out before the stream's owner can write to it.
    const reply = this.#writer.write({ ':status': '200', ':version': 'HTTP/1.1' });
    this.#send(controlFrame(frameType.synReply, 0, uint32s(id), reply));
    if (isFinished) stream.push(null);
    try {
      this.#options.onStream(stream);
    } catch {
      stream.destroy();
    }
  }

  #refuse(id: number): void {
    this.#send(controlFrame(frameType.reset, 0, uint32s(id, resetStatus.refusedStream)));
  }

  #send(frame: Buffer, callback?: (error?: Error | null) => void): void {
    if (this.#socket.writable) this.#socket.write(frame, callback);
    else callback?.(new Error('the connection is closed'));
  }
}

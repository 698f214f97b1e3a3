/** Control frame types of SPDY/3.1. */
export const frameType = {
  synStream: 1,
  synReply: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
};

export const flagFin = 1;
/** RST_STREAM statuses in use. */
export const resetStatus = { protocolError: 1, refusedStream: 3, cancel: 5 };

/** Control frames are collected whole; nothing that Kubernetes sends comes near. */
const MAX_CONTROL_BYTES = 64 * 1024;
const HEADER_BYTES = 8;
const SPDY_VERSION = 3;

export interface ControlFrame {
  readonly kind: 'control';
  readonly type: number;
  readonly flags: number;
  readonly payload: Buffer;
}

/** Data as it arrives, never collected; `isLast` closes a frame that carries FIN. */
export interface DataPiece {
  readonly kind: 'data';
  readonly streamId: number;
  readonly data: Buffer;
  readonly isLast: boolean;
}

interface OpenFrame {
  readonly isControl: boolean;
  readonly typeOrStream: number;
  readonly flags: number;
  left: number;
}

/** Cuts bytes into frames. Throws on what SPDY/3 does not know, and on control frames out of all proportion. */
export class FrameReader {
  #pending = Buffer.alloc(0);
  #frame: OpenFrame | undefined;

  *push(chunk: Buffer): Generator<ControlFrame | DataPiece> {
    let rest = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    for (;;) {
      if (!this.#frame) {
        if (rest.length < HEADER_BYTES) break;
        this.#frame = parseHeader(rest);
        rest = rest.subarray(HEADER_BYTES);
      }
      const frame: OpenFrame = this.#frame;
      if (frame.isControl && rest.length < frame.left) break;
      if (!frame.isControl && rest.length === 0 && frame.left > 0) break;
      const payload = rest.subarray(0, frame.left);
      rest = rest.subarray(payload.length);
      frame.left -= payload.length;
      if (frame.left === 0) this.#frame = undefined;
      yield toPiece(frame, payload);
    }
    this.#pending = Buffer.from(rest);
  }
}

function parseHeader(bytes: Buffer): OpenFrame {
  const first = bytes.readUInt32BE(0);
  const isControl = first >>> 31 === 1;
  const left = bytes.readUIntBE(5, 3);
  if (isControl) {
    const version = (first >>> 16) & 0x7fff;
    if (version !== SPDY_VERSION) throw new Error(`SPDY version ${version} is not spoken here`);
    if (left > MAX_CONTROL_BYTES) throw new Error(`a control frame of ${left} bytes`);
  }
  return { isControl, typeOrStream: isControl ? first & 0xffff : first, flags: bytes[4] ?? 0, left };
}

function toPiece({ isControl, typeOrStream, flags, left }: OpenFrame, payload: Buffer): ControlFrame | DataPiece {
  if (isControl) return { kind: 'control', type: typeOrStream, flags, payload };
  return { kind: 'data', streamId: typeOrStream, data: payload, isLast: left === 0 && (flags & flagFin) !== 0 };
}

export function controlFrame(type: number, flags: number, ...parts: readonly Buffer[]): Buffer {
  const payload = Buffer.concat(parts);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE((0x80000000 | (SPDY_VERSION << 16) | type) >>> 0, 0);
  header[4] = flags;
  header.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([header, payload]);
}

export function dataFrame(streamId: number, flags: number, data: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(streamId, 0);
  header[4] = flags;
  header.writeUIntBE(data.length, 5, 3);
  return Buffer.concat([header, data]);
}

/** Numbers of 32 bits, as most control payloads are. */
export function uint32s(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32BE(value >>> 0, 4 * index));
  return bytes;
}

/** The bytes are not a protocol buffer of the expected shape. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** One field as it stands on the wire. */
export interface WireField {
  readonly number: number;
  /** The value of a number; undefined for bytes. */
  readonly integer: bigint | undefined;
  /** The content of a string, bytes or message; the eight bytes of a double. */
  readonly bytes: Uint8Array | undefined;
}

const maxVarintBytes = 10;

/** Reads the fields of a message in the order of the wire. Fields of 32 bits, which no type has, are passed over. */
export function* readFields(bytes: Uint8Array): Generator<WireField, void> {
  const cursor = new Cursor(bytes);
  while (!cursor.isAtEnd()) {
    const tag = Number(cursor.varint());
    const number = Math.floor(tag / 8);
    if (number === 0) throw new ProtobufError('proto: illegal tag 0');
    switch (tag % 8) {
      case 0:
        yield { number, integer: cursor.varint(), bytes: undefined };
        break;
      case 1:
        yield { number, integer: undefined, bytes: cursor.take(8) };
        break;
      case 2:
        yield { number, integer: undefined, bytes: cursor.take(Number(cursor.varint())) };
        break;
      case 5:
        cursor.take(4);
        break;
      default:
        throw new ProtobufError(`proto: illegal wireType ${tag % 8}`);
    }
  }
}

class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    const first = this.#bytes[this.#at];
    if (first !== undefined && first < 0x80) {
      this.#at++;
      return BigInt(first);
    }
    let value = 0n;
    for (let i = 0; i < maxVarintBytes; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new ProtobufError('unexpected EOF');
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return value;
    }
    throw new ProtobufError('proto: integer overflow');
  }

  take(size: number): Uint8Array {
    const end = this.#at + size;
    if (!(size >= 0) || end > this.#bytes.length) throw new ProtobufError('unexpected EOF');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

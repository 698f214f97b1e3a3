/** Writes the wire format of protocol buffers. Fields are written in the order of the calls. */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafe(4096);
  #length = 0;

  /** A copy of what has been written so far, no larger than it must be: it may be kept. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  varint(field: number, value: number | bigint): this {
    this.#tag(field, 0);
    this.#varint(value);
    return this;
  }

  bool(field: number, value: boolean): this {
    return this.varint(field, value ? 1 : 0);
  }

  double(field: number, value: number): this {
    this.#tag(field, 1);
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
    return this;
  }

  string(field: number, value: string): this {
    const size = Buffer.byteLength(value);
    this.#tag(field, 2);
    this.#varint(size);
    this.#reserve(size);
    this.#length += this.#bytes.write(value, this.#length);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, 2);
    this.#varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** What stands before `size` bytes that are sent apart. */
  lengthOf(field: number, size: number): this {
    this.#tag(field, 2);
    this.#varint(size);
    return this;
  }

  /** A nested message, written by `write` in place; its length is put before it when it is known. */
  message(field: number, write: (writer: ProtobufWriter) => void): this {
    this.#tag(field, 2);
    this.#reserve(1);
    const start = ++this.#length;
    write(this);
    const size = this.#length - start;
    const lengthBytes = varintSize(size);
    if (lengthBytes > 1) {
      this.#reserve(lengthBytes);
      this.#bytes.copyWithin(start + lengthBytes - 1, start, this.#length);
    }
    let rest = size;
    for (let at = start - 1; at < start - 1 + lengthBytes; at++, rest = Math.floor(rest / 128)) {
      this.#bytes[at] = (rest % 128) | (rest > 0x7f ? 0x80 : 0);
    }
    this.#length += lengthBytes - 1;
    return this;
  }

  #tag(field: number, wireType: number): void {
    this.#varint((field << 3) | wireType);
  }

  #varint(value: number | bigint): void {
    this.#reserve(10);
    if (typeof value === 'number' && value >= 0 && value <= 0x7fffffff) {
      let rest = value;
      for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      this.#bytes[this.#length++] = rest;
      return;
    }
    // Negative numbers take ten bytes, as 64-bit two's complement.
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + size));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** How many bytes a length takes. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}

import { ProtobufError, readFields } from './reader.js';
import type { ProtobufWriter } from './wire.js';

const maxSafe = BigInt(Number.MAX_SAFE_INTEGER);

/** A signed integer that JSON can hold exactly. */
export function toInteger(value: bigint): number {
  const signed = BigInt.asIntN(64, value);
  if (signed > maxSafe || signed < -maxSafe) throw new ProtobufError(`the integer ${signed} is too large`);
  return Number(signed);
}

export const toText = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

/** Integers of a small message by field number. */
function integersOf(bytes: Uint8Array): Map<number, number> {
  const values = new Map<number, number>();
  for (const { number, integer } of readFields(bytes))
    if (integer !== undefined) values.set(number, toInteger(integer));
  return values;
}

/** Times are seconds (1) and nanoseconds (2); an empty message is no time. */
export function readTime(bytes: Uint8Array, isMicro: boolean): string | undefined {
  if (bytes.length === 0) return undefined;
  const values = integersOf(bytes);
  const date = new Date((values.get(1) ?? 0) * 1000);
  if (Number.isNaN(date.getTime())) throw new ProtobufError('a time is out of range');
  const seconds = date.toISOString().replace(/\.\d+Z$/, '');
  if (!isMicro) return `${seconds}Z`;
  const micros = Math.floor((values.get(2) ?? 0) / 1000) % 1_000_000;
  return `${seconds}.${String(Math.max(micros, 0)).padStart(6, '0')}Z`;
}

export function writeTime(writer: ProtobufWriter, text: string): void {
  writer.varint(1, Math.floor(Date.parse(text) / 1000));
  const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? '';
  writer.varint(2, Number(fraction.padEnd(9, '0')));
}

/** A quantity is its text (1). */
export function readQuantity(bytes: Uint8Array): string {
  for (const field of readFields(bytes)) if (field.number === 1 && field.bytes) return toText(field.bytes);
  return '0';
}

/** Type (1): 0 is a number (2), 1 a text (3). */
export function readIntOrString(bytes: Uint8Array): number | string {
  let text = '';
  for (const field of readFields(bytes)) if (field.number === 3 && field.bytes) text = toText(field.bytes);
  const values = integersOf(bytes);
  return values.get(1) === 1 ? text : (values.get(2) ?? 0);
}

export function writeIntOrString(writer: ProtobufWriter, value: unknown): void {
  if (typeof value === 'number') writer.varint(1, 0).varint(2, value);
  else writer.varint(1, 1).string(3, String(value));
}

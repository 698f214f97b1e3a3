import { parseJson, SyntaxFault } from '../decode/parse.js';
import { setField, type JsonObject } from '../schema/json.js';
import type { ScalarFormat, SchemaType, StructType } from '../schema/schema-type.js';
import { keepsZero, type Message, type MessageField, type Messages } from './messages.js';
import { ProtobufError, readFields, type WireField } from './reader.js';
import { readIntOrString, readQuantity, readTime, toInteger, toText } from './values.js';

/** Messages nested deeper than any type needs are refused. */
const maxDepth = 128;

/** Decodes a message into the JSON form of its type. */
export function decodeMessage(bytes: Uint8Array, type: StructType, messages: Messages, depth = 0): JsonObject {
  const object: JsonObject = {};
  decodeInto(object, bytes, messages.messageOf(type), messages, depth);
  return object;
}

function decodeInto(object: JsonObject, bytes: Uint8Array, message: Message, messages: Messages, depth: number): void {
  if (depth > maxDepth) throw new ProtobufError('exceeded max depth');
  for (const wire of readFields(bytes)) {
    const known = message.byNumber.get(wire.number);
    if (known) decodeField(object, wire, known, messages, depth);
  }
}

function decodeField(
  object: JsonObject,
  wire: WireField,
  { field, inlined }: MessageField,
  messages: Messages,
  depth: number,
): void {
  if (inlined && wire.bytes) return decodeInto(object, wire.bytes, inlined, messages, depth + 1);
  if (!field) return;
  const { name, type } = field;
  if (type.kind === 'list') {
    const list = (object[name] ??= []) as unknown[];
    // One by one: a hostile field can hold more numbers than a call takes arguments.
    for (const item of decodeItems(wire, type.items, messages, depth)) if (item !== undefined) list.push(item);
    return;
  }
  if (type.kind === 'map') {
    const map = (object[name] ??= {}) as JsonObject;
    return decodeEntry(map, wire, type.values, messages, depth);
  }
  const value = decodeValue(wire, type, messages, depth);
  const isZero = value === '' || value === 0 || value === false;
  if (value !== undefined && (!isZero || keepsZero(field))) object[name] = value;
}

/** Numbers may be packed into one field. */
function decodeItems(wire: WireField, type: SchemaType, messages: Messages, depth: number): unknown[] {
  const isNumber = type.kind === 'scalar' && ['int32', 'int64', 'bool'].includes(type.format);
  if (!isNumber || !wire.bytes) return [decodeValue(wire, type, messages, depth)];
  // Each packed number looks like a field's tag would: read them as bare varints.
  return unpack(wire.bytes).map((integer) => scalarOf({ ...wire, integer, bytes: undefined }, type.format));
}

function unpack(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (shift > 70n) throw new ProtobufError('proto: integer overflow');
    if (byte >= 0x80) continue;
    values.push(value);
    value = 0n;
    shift = 0n;
  }
  return values;
}

/** An entry of a map: key (1) and value (2). */
function decodeEntry(map: JsonObject, wire: WireField, type: SchemaType, messages: Messages, depth: number): void {
  let key = '';
  let value: WireField | undefined;
  for (const part of readFields(wire.bytes ?? new Uint8Array())) {
    if (part.number === 1 && part.bytes) key = toText(part.bytes);
    else if (part.number === 2) value = part;
  }
  const given = value ?? { number: 2, integer: 0n, bytes: new Uint8Array() };
  setField(map, key, decodeValue(given, type, messages, depth));
}

function decodeValue(wire: WireField, type: SchemaType, messages: Messages, depth: number): unknown {
  const { bytes } = wire;
  switch (type.kind) {
    case 'scalar':
      return scalarOf(wire, type.format);
    case 'struct':
      return bytes && decodeMessage(bytes, type, messages, depth + 1);
    case 'any':
      return bytes && rawJson(bytes);
    case 'list': {
      // A list inside a map is a message that repeats its items (ExtraValue).
      const parts = [...readFields(bytes ?? new Uint8Array())].filter(({ number }) => number === 1);
      return parts.flatMap((part) => decodeItems(part, type.items, messages, depth + 1));
    }
    case 'map': {
      const map: JsonObject = {};
      decodeEntry(map, wire, type.values, messages, depth + 1);
      return map;
    }
  }
}

function scalarOf({ integer, bytes }: WireField, format: ScalarFormat): unknown {
  switch (format) {
    case 'bool':
      return integer !== undefined && integer !== 0n;
    case 'int32':
      return integer === undefined ? 0 : Number(BigInt.asIntN(32, integer));
    case 'int64':
      return integer === undefined ? 0 : toInteger(integer);
    case 'float64':
      return undefined;
    default:
      return bytes && textOf(bytes, format);
  }
}

function textOf(bytes: Uint8Array, format: ScalarFormat): unknown {
  switch (format) {
    case 'quantity':
      return readQuantity(bytes);
    case 'int-or-string':
      return readIntOrString(bytes);
    case 'time':
    case 'micro-time':
      return readTime(bytes, format === 'micro-time');
    case 'bytes':
      return Buffer.from(bytes).toString('base64');
    default:
      return toText(bytes);
  }
}

/** RawExtension and FieldsV1 hold JSON in their field 1. */
function rawJson(bytes: Uint8Array): unknown {
  for (const part of readFields(bytes)) {
    if (part.number !== 1 || !part.bytes) continue;
    try {
      return parseJson(part.bytes).value;
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error;
      throw new ProtobufError(error.message);
    }
  }
  return undefined;
}

/** The fields of the envelope that wraps an object: runtime.Unknown. */
export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

const magic = Buffer.from('k8s\0');

/** Opens the envelope of an object: four magic bytes, then runtime.Unknown. */
export function openEnvelope(bytes: Uint8Array): Envelope {
  if (!magic.equals(bytes.subarray(0, magic.length))) {
    throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  const envelope = { apiVersion: '', kind: '', raw: new Uint8Array() as Uint8Array };
  for (const part of readFields(bytes.subarray(magic.length))) {
    if (part.number === 1 && part.bytes) {
      for (const { number, bytes: text } of readFields(part.bytes)) {
        if (number === 1 && text) envelope.apiVersion = toText(text);
        if (number === 2 && text) envelope.kind = toText(text);
      }
    } else if (part.number === 2 && part.bytes) envelope.raw = part.bytes;
    else if (part.number === 3 && part.bytes && part.bytes.length > 0) {
      throw new ProtobufError(`the content encoding ${JSON.stringify(toText(part.bytes))} is not supported`);
    }
  }
  return envelope;
}

/** apiVersion and kind of an object, as an envelope carries them. */
export function kindOf(object: JsonObject): { apiVersion: string; kind: string } {
  const { apiVersion, kind } = object;
  return {
    apiVersion: typeof apiVersion === 'string' ? apiVersion : '',
    kind: typeof kind === 'string' ? kind : '',
  };
}

import { setField, type JsonObject } from '../../shared/api/json.js';
import { parseJson, SyntaxFault } from '../decode/parse.js';
import type { ScalarFormat, SchemaType, StructType } from '../schema/schema-type.js';
import { magic } from './envelope.js';
import { unionOf, type Message, type MessageField, type Messages, type Union } from './messages.js';
import { ProtobufError, readFields, type WireField } from './reader.js';
import { readIntOrString, readQuantity, readTime, toInteger, toText } from './values.js';

/** Messages nested deeper than any type needs are refused. */
const maxDepth = 128;

/** Decodes a message into the JSON form of its type. */
export function decodeMessage(bytes: Uint8Array, type: StructType, messages: Messages): JsonObject {
  const object: JsonObject = {};
  decodeInto(object, bytes, messages.messageOf(type), messages, 0);
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
  known: MessageField,
  messages: Messages,
  depth: number,
): void {
  const { field, inlined, wireType } = known;
  if (inlined && wire.bytes) return decodeInto(object, wire.bytes, inlined, messages, depth + 1);
  if (!field) return;
  const { name, type } = field;
  const context = { messages, wireType, depth };
  if (type.kind === 'list' && known.isRepeated) {
    const list = (object[name] ??= []) as unknown[];
    // One by one: a hostile field can hold more numbers than a call takes arguments.
    for (const item of decodeItems(wire, type.items, context)) if (item !== undefined) list.push(item);
    return;
  }
  if (type.kind === 'map') {
    const map = (object[name] ??= {}) as JsonObject;
    return decodeEntry(map, wire, type.values, context);
  }
  const value = decodeValue(wire, type, context);
  // A number or text is a message of its own: where it is, it was set.
  const isPlain = type.kind === 'scalar' && type.format !== 'int-or-string';
  const isZero = isPlain && (value === '' || value === 0 || value === false);
  if (value !== undefined && (!isZero || known.keepsZero)) object[name] = value;
}

/** Where a value lies. */
interface Context {
  readonly messages: Messages;
  readonly wireType: string;
  readonly depth: number;
}

const deeper = (context: Context): Context => ({ ...context, depth: context.depth + 1 });

/** Numbers may be packed into one field. */
function decodeItems(wire: WireField, type: SchemaType, context: Context): unknown[] {
  const isNumber = type.kind === 'scalar' && ['int32', 'int64', 'bool'].includes(type.format);
  if (!isNumber || !wire.bytes) return [decodeValue(wire, type, context)];
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
function decodeEntry(map: JsonObject, wire: WireField, type: SchemaType, context: Context): void {
  let key = '';
  let value: WireField | undefined;
  for (const part of readFields(wire.bytes ?? new Uint8Array())) {
    if (part.number === 1 && part.bytes) key = toText(part.bytes);
    else if (part.number === 2) value = part;
  }
  const given = value ?? { number: 2, integer: 0n, bytes: new Uint8Array() };
  // A time that is no time is null.
  setField(map, key, decodeValue(given, type, context) ?? null);
}

function decodeValue(wire: WireField, type: SchemaType, context: Context): unknown {
  const { bytes } = wire;
  const { messages, wireType } = context;
  switch (type.kind) {
    case 'scalar':
      return scalarOf(wire, type.format);
    case 'struct':
      return bytes && decodeStruct(bytes, messages.messageOf(type, wireType), deeper(context));
    case 'any': {
      const union = unionOf(wireType);
      return bytes && (union ? readUnion(bytes, union, deeper(context)) : rawJson(bytes));
    }
    case 'list': {
      // A message that repeats its items (ExtraValue, Verbs).
      const parts = [...readFields(bytes ?? new Uint8Array())].filter(({ number }) => number === 1);
      return parts.flatMap((part) => decodeItems(part, type.items, deeper(context)));
    }
    case 'map': {
      const map: JsonObject = {};
      decodeEntry(map, wire, type.values, deeper(context));
      return map;
    }
  }
}

function decodeStruct(bytes: Uint8Array, message: Message, { messages, depth }: Context): JsonObject {
  const object: JsonObject = {};
  decodeInto(object, bytes, message, messages, depth);
  return object;
}

/** What a message holds that is a schema (1), or several or the names of fields (2); or a flag (1) or a schema (2). */
function readUnion(bytes: Uint8Array, union: Union, context: Context): unknown {
  const { messages } = context;
  const schema = ({ bytes: one = new Uint8Array() }: WireField): JsonObject =>
    decodeStruct(one, messages.messageOf(messages.schemaProps), context);
  const parts = [...readFields(bytes)];
  const [first] = parts.filter(({ number }) => number === 1);
  const second = parts.filter(({ number }) => number === 2);
  if (union === 'JSONSchemaPropsOrBool') return second[0] ? schema(second[0]) : (first?.integer ?? 0n) !== 0n;
  if (second.length === 0) return first && schema(first);
  return second.map((part) => (union === 'JSONSchemaPropsOrArray' ? schema(part) : toText(part.bytes ?? bytes)));
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
      return bytes?.length === 8 ? Buffer.from(bytes).readDoubleLE() : 0;
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

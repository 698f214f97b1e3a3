import { isObject, type JsonObject } from '../schema/json.js';
import type { Field, ScalarFormat, SchemaType, StructType } from '../schema/schema-type.js';
import type { Message, Messages } from './messages.js';
import { writeIntOrString, writeTime } from './values.js';
import { ProtobufWriter } from './wire.js';

/** Encodes the JSON form of an object as the message of its type. Fields that the type lacks are left out. */
export function encodeMessage(object: JsonObject, type: StructType, messages: Messages): Buffer {
  const writer = new ProtobufWriter();
  writeObject(writer, object, messages.messageOf(type), messages);
  return writer.finish();
}

function writeObject(writer: ProtobufWriter, object: JsonObject, message: Message, messages: Messages): void {
  for (const { number, field, inlined } of message.fields) {
    if (inlined) {
      if (hasAny(object, inlined)) writer.message(number, (w) => writeObject(w, object, inlined, messages));
    } else if (field && Object.hasOwn(object, field.name))
      writeField(writer, number, object[field.name], field, messages);
  }
}

/** Whether an inlined struct has a field in the object: an empty one need not be written. */
const hasAny = (object: JsonObject, message: Message): boolean =>
  message.fields.some(({ field, inlined }) =>
    inlined ? hasAny(object, inlined) : field !== undefined && Object.hasOwn(object, field.name),
  );

function writeField(writer: ProtobufWriter, number: number, value: unknown, { type }: Field, messages: Messages): void {
  if (value === null || value === undefined) return;
  if (type.kind === 'list' && Array.isArray(value)) {
    for (const item of value) writeValue(writer, number, item, type.items, messages);
  } else if (type.kind === 'map' && isObject(value)) {
    for (const key of Object.keys(value)) {
      writer.message(number, (entry) => writeValue(entry.string(1, key), 2, value[key], type.values, messages));
    }
  } else writeValue(writer, number, value, type, messages);
}

function writeValue(
  writer: ProtobufWriter,
  number: number,
  value: unknown,
  type: SchemaType,
  messages: Messages,
): void {
  switch (type.kind) {
    case 'scalar':
      return writeScalar(writer, number, value, type.format);
    case 'any':
      writer.message(number, (w) => w.bytes(1, Buffer.from(JSON.stringify(value))));
      return;
    case 'struct':
      if (isObject(value)) writer.message(number, (w) => writeObject(w, value, messages.messageOf(type), messages));
      return;
    case 'list':
      writer.message(number, (w) => {
        for (const item of value as unknown[]) writeValue(w, 1, item, type.items, messages);
      });
      return;
    case 'map':
      throw new Error('no message has a map in a map');
  }
}

function writeScalar(writer: ProtobufWriter, number: number, value: unknown, format: ScalarFormat): void {
  switch (format) {
    case 'bool':
      writer.bool(number, value === true);
      return;
    case 'int32':
    case 'int64':
      writer.varint(number, value as number);
      return;
    case 'float64':
      writer.double(number, value as number);
      return;
    case 'bytes':
      writer.bytes(number, Buffer.from(String(value), 'base64'));
      return;
    case 'quantity':
      writer.message(number, (w) => w.string(1, String(value)));
      return;
    case 'int-or-string':
      writer.message(number, (w) => writeIntOrString(w, value));
      return;
    case 'time':
    case 'micro-time':
      writer.message(number, (w) => writeTime(w, String(value)));
      return;
    default:
      writer.string(number, String(value));
  }
}

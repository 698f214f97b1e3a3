import { isObject, type JsonObject } from '../../shared/api/json.js';
import type { ScalarFormat, SchemaType, StructType } from '../schema/schema-type.js';
import { unionOf, type Message, type MessageField, type Messages, type Union } from './messages.js';
import { writeIntOrString, writeTime } from './values.js';
import { ProtobufWriter } from './wire.js';

/** Encodes the JSON form of an object as the message of its type. Fields that the type lacks are left out. */
export function encodeMessage(object: JsonObject, type: StructType, messages: Messages): Buffer {
  const writer = new ProtobufWriter();
  writeObject(writer, object, messages.messageOf(type), messages);
  return writer.finish();
}

function writeObject(writer: ProtobufWriter, object: JsonObject, message: Message, messages: Messages): void {
  for (const known of message.fields) {
    const { number, field, inlined } = known;
    if (inlined) {
      if (hasAny(object, inlined)) writer.message(number, (w) => writeObject(w, object, inlined, messages));
    } else if (field && Object.hasOwn(object, field.name)) {
      writeField(writer, known, object[field.name], field.type, messages);
    }
  }
}

/** Whether an inlined struct has a field in the object: an empty one need not be written. */
const hasAny = (object: JsonObject, message: Message): boolean =>
  message.fields.some(({ field, inlined }) =>
    inlined ? hasAny(object, inlined) : field !== undefined && Object.hasOwn(object, field.name),
  );

function writeField(
  writer: ProtobufWriter,
  known: MessageField,
  value: unknown,
  type: SchemaType,
  messages: Messages,
): void {
  if (value === null || value === undefined) return;
  if (type.kind === 'list' && known.isRepeated && Array.isArray(value)) {
    for (const item of value) writeValue(writer, known, item, type.items, messages);
  } else if (type.kind === 'map' && isObject(value)) {
    const entryValue = { ...known, number: 2 };
    for (const key of Object.keys(value)) {
      writer.message(known.number, (w) => writeValue(w.string(1, key), entryValue, value[key], type.values, messages));
    }
  } else writeValue(writer, known, value, type, messages);
}

function writeValue(
  writer: ProtobufWriter,
  { number, wireType }: Pick<MessageField, 'number' | 'wireType'>,
  value: unknown,
  type: SchemaType,
  messages: Messages,
): void {
  switch (type.kind) {
    case 'scalar':
      return writeScalar(writer, number, value, type.format);
    case 'any': {
      const union = unionOf(wireType);
      writer.message(number, (w) => (union ? writeUnion(w, union, value, messages) : writeRaw(w, value)));
      return;
    }
    case 'struct':
      if (isObject(value)) {
        writer.message(number, (w) => writeObject(w, value, messages.messageOf(type, wireType), messages));
      }
      return;
    case 'list':
      writer.message(number, (w) => {
        const part = { number: 1, wireType };
        if (Array.isArray(value)) for (const item of value) writeValue(w, part, item, type.items, messages);
      });
      return;
    case 'map':
      throw new Error('no message has a map in a map');
  }
}

function writeRaw(writer: ProtobufWriter, value: unknown): void {
  writer.bytes(1, Buffer.from(JSON.stringify(value)));
}

/** A schema (1), or several or the names of fields (2); of a flag and a schema the flag comes first. */
function writeUnion(writer: ProtobufWriter, union: Union, value: unknown, messages: Messages): void {
  const schema = (number: number, one: unknown): void => {
    const type = messages.schemaProps;
    if (isObject(one)) writer.message(number, (w) => writeObject(w, one, messages.messageOf(type), messages));
  };
  switch (union) {
    case 'JSONSchemaPropsOrBool':
      writer.bool(1, value !== false);
      return schema(2, value);
    case 'JSONSchemaPropsOrArray':
      if (Array.isArray(value)) for (const item of value) schema(2, item);
      else schema(1, value);
      return;
    case 'JSONSchemaPropsOrStringArray':
      if (Array.isArray(value)) for (const name of value) writer.string(2, String(name));
      else schema(1, value);
  }
}

function writeScalar(writer: ProtobufWriter, number: number, given: unknown, format: ScalarFormat): void {
  // A null in a list or map is what nothing stands for: for a time that is a message without a moment.
  if (given === null && (format === 'time' || format === 'micro-time')) return void writer.message(number, () => {});
  const value: unknown = given ?? (format === 'quantity' ? '0' : '');
  switch (format) {
    case 'bool':
      writer.bool(number, value === true);
      return;
    case 'int32':
    case 'int64':
      writer.varint(number, Number(value));
      return;
    case 'float64':
      writer.double(number, Number(value));
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

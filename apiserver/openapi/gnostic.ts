import { ProtobufWriter } from '../protobuf/wire.js';
import type { OpenApiObject } from './definitions.js';

/**
 * Encodes an OpenAPI 2.0 document as gnostic's openapi_v2.Document: kubectl up to 1.22 reads no other form. The field
 * numbers are those of gnostic's OpenAPIv2.proto.
 */
export function* encodeGnostic(document: OpenApiObject): Generator<void, Buffer> {
  const writer = new ProtobufWriter();
  const info = objectOf(document['info']);
  writer.string(1, textOf(document['swagger']));
  writer.message(2, (w) => w.string(1, textOf(info['title'])).string(2, textOf(info['version'])));
  writer.bytes(8, yield* namedInSteps(2, document['paths'], writePathItem));
  writer.bytes(9, yield* namedInSteps(1, document['definitions'], writeSchema));
  writer.message(10, (parameters) => named(parameters, 1, document['parameters'], writeParameter));
  for (const requirement of listOf(document['security'])) {
    writer.message(12, (w) => named(w, 1, requirement, (scopes, value) => strings(scopes, 1, value)));
  }
  writer.message(13, (w) => named(w, 1, document['securityDefinitions'], writeSecurity));
  return writer.finish();
}

type Write = (writer: ProtobufWriter, value: unknown) => void;

const objectOf = (value: unknown): OpenApiObject => (value ?? {}) as OpenApiObject;
const listOf = (value: unknown): readonly unknown[] => (value ?? []) as readonly unknown[];
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A map as pairs of name (1) and value (2). */
function named(writer: ProtobufWriter, field: number, map: unknown, write: Write): void {
  for (const [name, value] of Object.entries(objectOf(map))) {
    writer.message(field, (pair) => pair.string(1, name).message(2, (w) => write(w, value)));
  }
}

/** The same as a message of its own, with a step for each entry: for the two maps that make up most of the document. */
function* namedInSteps(field: number, map: unknown, write: Write): Generator<void, Buffer> {
  const writer = new ProtobufWriter();
  for (const [name, value] of Object.entries(objectOf(map))) {
    named(writer, field, { [name]: value }, write);
    yield;
  }
  return writer.finish();
}

function strings(writer: ProtobufWriter, field: number, list: unknown): void {
  for (const text of listOf(list)) writer.string(field, textOf(text));
}

function optionalText(writer: ProtobufWriter, field: number, value: unknown): void {
  if (value !== undefined) writer.string(field, textOf(value));
}

/** Extensions are YAML texts, which JSON is. */
function extensions(writer: ProtobufWriter, field: number, object: OpenApiObject): void {
  for (const [name, value] of Object.entries(object)) {
    if (!name.startsWith('x-')) continue;
    writer.message(field, (pair) =>
      pair.string(1, name).message(2, (any) => any.string(2, `${JSON.stringify(value)}\n`)),
    );
  }
}

const operationFields: readonly [method: string, field: number][] = [
  ['get', 2],
  ['put', 3],
  ['post', 4],
  ['delete', 5],
  ['options', 6],
  ['head', 7],
  ['patch', 8],
];

function writePathItem(writer: ProtobufWriter, value: unknown): void {
  const item = objectOf(value);
  for (const [method, field] of operationFields) {
    if (item[method] !== undefined) writer.message(field, (w) => writeOperation(w, objectOf(item[method])));
  }
  for (const parameter of listOf(item['parameters'])) writer.message(9, (w) => writeParameterItem(w, parameter));
}

function writeOperation(writer: ProtobufWriter, operation: OpenApiObject): void {
  strings(writer, 1, operation['tags']);
  writer.string(3, textOf(operation['description'])).string(5, textOf(operation['operationId']));
  strings(writer, 6, operation['produces']);
  strings(writer, 7, operation['consumes']);
  for (const parameter of listOf(operation['parameters'])) writer.message(8, (w) => writeParameterItem(w, parameter));
  writer.message(9, (responses) =>
    named(responses, 1, operation['responses'], (either, response) =>
      either.message(1, (w) => writeResponse(w, objectOf(response))),
    ),
  );
  strings(writer, 10, operation['schemes']);
  extensions(writer, 13, operation);
}

function writeResponse(writer: ProtobufWriter, response: OpenApiObject): void {
  writer.string(1, textOf(response['description']));
  const { schema } = response;
  if (schema !== undefined) writer.message(2, (item) => item.message(1, (w) => writeSchema(w, schema)));
}

/** Either a parameter (1) or a reference to one (2). */
function writeParameterItem(writer: ProtobufWriter, value: unknown): void {
  const parameter = objectOf(value);
  if (parameter['$ref'] !== undefined) writer.message(2, (w) => w.string(1, textOf(parameter['$ref'])));
  else writer.message(1, (w) => writeParameter(w, parameter));
}

function writeParameter(writer: ProtobufWriter, value: unknown): void {
  const parameter = objectOf(value);
  if (parameter['in'] === 'body') writer.message(1, (w) => writeBodyParameter(w, parameter));
  else {
    const isQuery = parameter['in'] === 'query';
    writer.message(2, (other) => other.message(isQuery ? 3 : 4, (w) => writeOtherParameter(w, parameter, isQuery)));
  }
}

function writeBodyParameter(writer: ProtobufWriter, parameter: OpenApiObject): void {
  optionalText(writer, 1, parameter['description']);
  writer.string(2, textOf(parameter['name'])).string(3, 'body');
  if (parameter['required'] === true) writer.bool(4, true);
  writer.message(5, (w) => writeSchema(w, parameter['schema']));
}

/** Query parameters have one field more than those of paths, which shifts the numbers after it. */
function writeOtherParameter(writer: ProtobufWriter, parameter: OpenApiObject, isQuery: boolean): void {
  if (parameter['required'] === true) writer.bool(1, true);
  writer.string(2, textOf(parameter['in']));
  optionalText(writer, 3, parameter['description']);
  writer.string(4, textOf(parameter['name'])).string(isQuery ? 6 : 5, textOf(parameter['type']));
  if (parameter['uniqueItems'] === true) writer.bool(isQuery ? 20 : 19, true);
}

function writeSchema(writer: ProtobufWriter, value: unknown): void {
  const schema = objectOf(value);
  optionalText(writer, 1, schema['$ref']);
  optionalText(writer, 2, schema['format']);
  optionalText(writer, 4, schema['description']);
  strings(writer, 19, schema['required']);
  const { additionalProperties, type, items, properties } = schema;
  if (additionalProperties !== undefined) {
    writer.message(21, (item) => item.message(1, (w) => writeSchema(w, additionalProperties)));
  }
  if (type !== undefined) writer.message(22, (w) => w.string(1, textOf(type)));
  if (items !== undefined) writer.message(23, (item) => item.message(1, (w) => writeSchema(w, items)));
  if (properties !== undefined) writer.message(25, (w) => named(w, 1, properties, writeSchema));
  extensions(writer, 31, schema);
}

function writeSecurity(writer: ProtobufWriter, value: unknown): void {
  const security = objectOf(value);
  writer.message(2, (w) =>
    w
      .string(1, textOf(security['type']))
      .string(2, textOf(security['name']))
      .string(3, textOf(security['in']))
      .string(4, textOf(security['description'])),
  );
}

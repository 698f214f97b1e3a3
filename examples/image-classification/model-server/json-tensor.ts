import type { PredictRequest, PredictResponse, SignatureDef, TensorProto } from '../protocol/protocol.js';
import { elementCount, shapeOf, shapeProto } from '../protocol/tensor.js';
import { ServingError, invalidArgument } from './serving-error.js';

/** How the tensors of a REST request and of its answer are laid out: one object a picture, or one list a tensor. */
export type JsonFormat = 'row' | 'columnar';

const MAX_QUOTED_CHARACTERS = 200;
const MAX_RANK = 8;

function quote(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? 'undefined';
  } catch {
    // JSON.parse reads nesting that JSON.stringify has no stack for.
    return '(nested too deeply to show)';
  }
  return text.length <= MAX_QUOTED_CHARACTERS ? text : `${text.slice(0, MAX_QUOTED_CHARACTERS)}...`;
}

function jsonType(value: unknown): string {
  if (value === null) return 'Null';
  if (Array.isArray(value)) return 'Array';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return (typeof value).replace(/^./, (letter) => letter.toUpperCase());
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON document of a predict request; its signature is read first because the tensors depend on it. */
export function parsePredictDocument(body: string): { document: Record<string, unknown>; signatureName: string } {
  if (body === '') throw invalidArgument('JSON Parse error: The document is empty');
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch (error) {
    throw invalidArgument(`JSON Parse error: ${(error as SyntaxError).message}`);
  }
  if (!isObject(document)) throw invalidArgument(`JSON Value: ${quote(document)} Is not object`);
  const signatureName = document['signature_name'] ?? '';
  if (typeof signatureName !== 'string') {
    throw invalidArgument(
      `JSON Value: ${quote(document)} not formatted correctly. 'signature_name' key must be a string value.`,
    );
  }
  return { document, signatureName };
}

/** Reads the tensors of a request in row format (`instances`) or column format (`inputs`). */
export function readTensors(
  document: Record<string, unknown>,
  signature: SignatureDef,
): { inputs: PredictRequest['inputs']; format: JsonFormat } {
  const hasInstances = Object.hasOwn(document, 'instances');
  const hasInputs = Object.hasOwn(document, 'inputs');
  if (hasInstances && hasInputs) {
    throw invalidArgument(
      `JSON Value: ${quote(document)} Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist `,
    );
  }
  if (hasInstances) return { inputs: readInstances(document['instances'], document, signature), format: 'row' };
  if (hasInputs) return { inputs: readInputs(document['inputs'], signature), format: 'columnar' };
  throw invalidArgument("Missing 'inputs' or 'instances' key");
}

function readInstances(instances: unknown, document: object, signature: SignatureDef): PredictRequest['inputs'] {
  if (!Array.isArray(instances))
    throw invalidArgument(`JSON Value: ${quote(document)} Excepting 'instances' to be an list/array`);
  if (instances.length === 0) throw invalidArgument(`JSON Value: ${quote(document)} No values in 'instances' array`);
  const names = Object.keys(signature.inputs);
  const areObjects = isObject(instances[0]);
  const batches = new Map<string, { shape: number[]; values: number[] }>();
  for (const [index, instance] of instances.entries()) {
    if (areObjects && !isObject(instance)) {
      throw invalidArgument(`Expecting object but got list at item ${index} of input list`);
    }
    if (!areObjects && isObject(instance)) {
      throw invalidArgument(`Expecting value/list but got object at item ${index} of input list`);
    }
    if (!isObject(instance)) {
      addInstance(batches, { name: names[0] ?? '', value: instance, signature, label: `element: ${index}` });
      continue;
    }
    for (const [name, value] of Object.entries(instance)) {
      addInstance(batches, { name, value, signature, label: `element: ${index} key: ${name}` });
    }
    const keys = Object.keys(instance);
    if (keys.length !== names.length || !names.every((name) => keys.includes(name))) {
      throw invalidArgument(
        `Failed to process element: ${index} of 'instances' list. JSON object: ${quote(instance)} keys must be equal to: ${names.join(',')}`,
      );
    }
  }
  return Object.fromEntries(
    [...batches].map(([name, batch]) => [name, floatTensor([instances.length, ...batch.shape], batch.values)]),
  );
}

function addInstance(
  batches: Map<string, { shape: number[]; values: number[] }>,
  item: { name: string; value: unknown; signature: SignatureDef; label: string },
): void {
  try {
    if (!Object.hasOwn(item.signature.inputs, item.name)) {
      throw invalidArgument(`JSON object: does not have named input: ${item.name}`);
    }
    const shape = denseShape(item.value);
    const batch = batches.get(item.name);
    const values = batch?.values ?? [];
    const before = values.length;
    fill(item.value, 0, shape, values);
    if (batch === undefined) {
      batches.set(item.name, { shape, values });
      return;
    }
    const size = elementCount(batch.shape);
    if (values.length - before !== size)
      throw invalidArgument(`Expecting tensor size: ${size} but got: ${values.length - before}`);
    if (shape.join() !== batch.shape.join())
      throw invalidArgument(`Expecting shape [${batch.shape.join()}] but got: [${shape.join()}]`);
  } catch (error) {
    if (!(error instanceof ServingError)) throw error;
    throw invalidArgument(
      `Failed to process ${item.label} of 'instances' list. Error: INVALID_ARGUMENT: ${error.message}`,
    );
  }
}

function readInputs(inputs: unknown, signature: SignatureDef): PredictRequest['inputs'] {
  const tensors: PredictRequest['inputs'] = {};
  for (const name of Object.keys(signature.inputs)) {
    if (isObject(inputs) && !Object.hasOwn(inputs, name))
      throw invalidArgument(`Missing named input: ${name} in 'inputs' object.`);
    const value = isObject(inputs) ? inputs[name] : inputs;
    const shape = denseShape(value);
    const values: number[] = [];
    fill(value, 0, shape, values);
    tensors[name] = floatTensor(shape, values);
  }
  return tensors;
}

function floatTensor(shape: readonly number[], values: number[]): TensorProto {
  return { dtype: 'DT_FLOAT', tensor_shape: shapeProto(shape), float_val: values };
}

/** The shape that the first element of each level gives; `fill` then checks that all others agree. */
function denseShape(value: unknown): number[] {
  const shape: number[] = [];
  for (let level: unknown = value; Array.isArray(level); level = level[0]) {
    if (shape.length === MAX_RANK)
      throw invalidArgument(`Encountered list at unexpected level: ${MAX_RANK} expected < ${MAX_RANK}`);
    shape.push(level.length);
  }
  return shape;
}

function fill(value: unknown, level: number, shape: readonly number[], values: number[]): void {
  if (!Array.isArray(value)) {
    if (level !== shape.length) {
      throw invalidArgument(
        `JSON Value: ${quote(value)} found at incorrect level: ${level + 1} in the JSON DOM. Expected at level: ${shape.length}`,
      );
    }
    if (typeof value !== 'number') {
      throw invalidArgument(`JSON Value: ${quote(value)} Type: ${jsonType(value)} is not of expected type: float`);
    }
    values.push(value);
    return;
  }
  if (level >= shape.length) {
    throw invalidArgument(`Encountered list at unexpected level: ${level} expected < ${shape.length}`);
  }
  if (value.length !== shape[level]) {
    throw invalidArgument(
      `Encountered list at unexpected size: ${value.length} at level: ${level} expected size: ${shape[level]}`,
    );
  }
  for (const element of value) fill(element, level + 1, shape, values);
}

/** The answer in the format of the request; with a single output its name is left out, as TensorFlow Serving does. */
export function writeTensors(outputs: PredictResponse['outputs'], format: JsonFormat): string {
  const lists = Object.entries(outputs).map(([name, tensor]) => {
    const shape = shapeOf(tensor.tensor_shape) ?? [];
    return { name, rows: rowsOf(tensor.float_val ?? [], shape.at(-1) ?? 1) };
  });
  const [only] = lists;
  if (lists.length === 1 && only !== undefined) {
    return `{\n    "${format === 'row' ? 'predictions' : 'outputs'}": [${only.rows.join(', ')}\n    ]\n}`;
  }
  const named = (rows: (list: { name: string; rows: string[] }) => string): string =>
    lists.map((list) => `${JSON.stringify(list.name)}: ${rows(list)}`).join(', ');
  if (format === 'columnar') return `{\n    "outputs": {${named((list) => `[${list.rows.join(', ')}]`)}}\n}`;
  const instances = (only?.rows ?? []).map((_, index) => `{${named((list) => list.rows[index] ?? 'null')}}`);
  return `{\n    "predictions": [${instances.join(', ')}]\n}`;
}

function rowsOf(values: readonly number[], width: number): string[] {
  const rows: string[] = [];
  for (let start = 0; start < values.length; start += width) {
    rows.push(
      `[${values
        .slice(start, start + width)
        .map(decimal)
        .join(', ')}]`,
    );
  }
  return rows;
}

/** The shortest decimal that reads back as the same float32, always with a point or an exponent. */
export function decimal(value: number): string {
  const short = Number(value.toPrecision(6));
  const text = String(Math.fround(short) === Math.fround(value) ? short : Number(value.toPrecision(9)));
  return /[.e]/.test(text) ? text : `${text}.0`;
}

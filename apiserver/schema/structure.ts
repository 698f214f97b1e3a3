import { isObject, setField, type JsonObject } from '../../shared/api/json.js';
import { goTypeName, goValueName, readScalar, ScalarError } from './scalar.js';
import { suggestName } from './suggestion.js';
import type { Field, ListType, MapType, SchemaType, StructType } from './schema-type.js';

/** A value has the wrong form for its field; the message is that of the original's decoder. */
export class StructureError extends Error {
  override readonly name = 'StructureError';
  /** Path of the value, e.g. `spec.containers[0].image`; the message names it only in part, or not at all. */
  readonly field: string | undefined;
  constructor(message: string, field?: string) {
    super(message);
    this.field = field === '' ? undefined : field;
  }
}

export interface Structured {
  /** The object in the form in which it is stored: nulls and unknown fields gone, quantities and times canonical. */
  readonly object: JsonObject;
  /** Paths of the fields that the type lacks, e.g. `spec.containers[0].imag`. At most {@link maxUnknownFields}. */
  readonly unknown: readonly string[];
  /** For paths in `unknown`: the field that was probably meant, e.g. `image`. */
  readonly suggestions: ReadonlyMap<string, string>;
}

/** As many as the original reports. */
const maxUnknownFields = 100;

/** A place below the object: a struct's field, a map's key, or a list's index. */
type Step = Field | { readonly key: string } | number;

/**
 * Reads parsed JSON along a type, as the original's decoder does. Values in `value` are reused where they need no change.
 * @throws StructureError on the first value of a wrong form
 */
export function checkStructure(value: JsonObject, type: StructType): Structured {
  const reader = new StructureReader();
  return { object: reader.readRoot(value, type), unknown: reader.unknown, suggestions: reader.suggestions };
}

class StructureReader {
  readonly unknown: string[] = [];
  readonly suggestions = new Map<string, string>();
  readonly #steps: Step[] = [];
  #struct: StructType | undefined;

  readRoot(value: JsonObject, type: StructType): JsonObject {
    return this.#readStruct(value, type);
  }

  #read(value: unknown, type: SchemaType): unknown {
    switch (type.kind) {
      case 'scalar':
        try {
          return readScalar(value, type.format);
        } catch (error) {
          if (!(error instanceof ScalarError)) throw error;
          throw error.isTyped
            ? this.#mismatch(error.message, goTypeName[type.format])
            : new StructureError(error.message, this.#path());
        }
      case 'struct':
        return this.#readStruct(value, type);
      case 'list':
        return this.#readList(value, type);
      case 'map':
        return this.#readMap(value, type);
      case 'any':
        return type.objects ? this.#readObjects(value, type.objects) : readAny(value);
    }
  }

  #readObjects(value: unknown, type: StructType): unknown {
    if (Array.isArray(value)) return value.map((item: unknown) => this.#readObjects(item, type));
    return isObject(value) ? this.#readStruct(value, type) : readAny(value);
  }

  #readStruct(value: unknown, type: StructType): JsonObject {
    if (!isObject(value)) throw this.#mismatch(goValueName(value), goType(type));
    const outer = this.#struct;
    this.#struct = type;
    // Copied only when something goes or changes: most objects are as they should be.
    let copy: JsonObject | undefined;
    const names = Object.keys(value);
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      const field = type.fields.get(name);
      const given = value[name];
      const read = field ? this.#readField(given, field) : this.#readUnknown(given, name, type);
      if (copy === undefined && read !== given) copy = copyFields(value, names, i);
      if (copy !== undefined && read !== undefined) setField(copy, name, read);
    }
    this.#struct = outer;
    return copy ?? value;
  }

  #readField(given: unknown, field: Field): unknown {
    if (given === null || given === undefined) return undefined;
    this.#steps.push(field);
    const read = this.#read(given, field.type);
    this.#steps.pop();
    return field.omitEmpty && isEmpty(read) ? undefined : read;
  }

  #readUnknown(given: unknown, name: string, type: StructType): unknown {
    if (type.preserveUnknown) return readAny(given);
    if (this.unknown.length < maxUnknownFields) {
      const path = [this.#path(), name].filter((part) => part !== '').join('.');
      this.unknown.push(path);
      const meant = suggestName(name, type.fields.keys());
      if (meant !== undefined) this.suggestions.set(path, meant);
    }
    return undefined;
  }

  #readList(value: unknown, type: ListType): unknown[] {
    if (!Array.isArray(value)) throw this.#mismatch(goValueName(value), goType(type));
    let copy: unknown[] | undefined;
    for (let i = 0; i < value.length; i++) {
      this.#steps.push(i);
      const given: unknown = value[i];
      const read = given === null ? zeroOf(type.items) : this.#read(given, type.items);
      this.#steps.pop();
      if (copy === undefined && read !== given) copy = value.slice(0, i);
      copy?.push(read);
    }
    return copy ?? (value as unknown[]);
  }

  #readMap(value: unknown, type: MapType): JsonObject {
    if (!isObject(value)) throw this.#mismatch(goValueName(value), goType(type));
    let copy: JsonObject | undefined;
    const names = Object.keys(value);
    for (let i = 0; i < names.length; i++) {
      const key = names[i] as string;
      const given = value[key];
      this.#steps.push({ key });
      const read = given === null ? zeroOf(type.values) : this.#read(given, type.values);
      this.#steps.pop();
      if (copy === undefined && read !== given) copy = copyFields(value, names, i);
      if (copy !== undefined) setField(copy, key, read);
    }
    return copy ?? value;
  }

  /** Go names the innermost struct and the fields on the way, neither indexes nor map keys. */
  #mismatch(valueName: string, typeName: string): StructureError {
    const fields = this.#steps.flatMap((step) => (typeof step === 'object' && 'type' in step ? [step.name] : []));
    const place =
      this.#struct && fields.length > 0 ? `struct field ${this.#struct.goName}.${fields.join('.')}` : 'value';
    const message = `json: cannot unmarshal ${valueName} into Go ${place} of type ${typeName}`;
    return new StructureError(message, this.#path());
  }

  #path(): string {
    return this.#steps
      .map((step) => (typeof step === 'number' ? `[${step}]` : `.${'type' in step ? step.name : step.key}`))
      .join('')
      .replace(/^\./, '');
  }
}

function copyFields(value: JsonObject, names: readonly string[], count: number): JsonObject {
  const copy: JsonObject = {};
  for (let i = 0; i < count; i++) setField(copy, names[i] as string, value[names[i] as string]);
  return copy;
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  for (const name in value as JsonObject) if (Object.hasOwn(value as JsonObject, name)) return false;
  return true;
}

/** What Go stores for a null in a list or map. */
function zeroOf(type: SchemaType): unknown {
  if (type.kind === 'struct' || type.kind === 'map') return {};
  if (type.kind === 'list') return [];
  if (type.kind === 'any') return null;
  if (type.format === 'bool') return false;
  if (type.format === 'quantity') return '0';
  if (type.format === 'time' || type.format === 'micro-time') return null;
  return type.format === 'string' || type.format === 'bytes' ? '' : 0;
}

/** A number that overflowed while it was parsed would be written as null. */
function readAny(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new StructureError(`json: cannot unmarshal number ${value} into Go value of type float64`);
  }
  if (Array.isArray(value)) for (const item of value) readAny(item);
  else if (isObject(value)) for (const name of Object.keys(value)) readAny(value[name]);
  return value;
}

function goType(type: SchemaType): string {
  switch (type.kind) {
    case 'scalar':
      return goTypeName[type.format];
    case 'list':
      return `[]${goType(type.items)}`;
    case 'map':
      return `map[string]${goType(type.values)}`;
    case 'struct':
      return `${type.definition.split('.').at(-2) ?? ''}.${type.goName}`;
    case 'any':
      return 'interface {}';
  }
}

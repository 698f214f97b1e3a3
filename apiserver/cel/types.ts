/** What the checker knows of a value before there is one. */
export type CelType =
  | SimpleType
  /** `isFree`: nothing says yet what it is, as the items of an empty list. */
  | { readonly kind: 'dyn'; readonly isFree: boolean; readonly maxSize?: number }
  /** A type as a value: which, unless any will do. */
  | { readonly kind: 'type'; readonly of: CelType | undefined }
  | ListType
  | { readonly kind: 'map'; readonly keys: CelType; readonly values: CelType; readonly maxSize?: number }
  | ObjectType
  /** Types of libraries: quantities, URLs, optionals (with the type inside). */
  | { readonly kind: 'opaque'; readonly name: string; readonly parameters: readonly CelType[] }
  /** `T` in the signature of a function. */
  | { readonly kind: 'parameter'; readonly name: string };

export type SimpleKind = 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null' | 'timestamp' | 'duration';

export interface SimpleType {
  readonly kind: SimpleKind;
  /** Of strings and bytes: the longest that a schema allows. */
  readonly maxSize?: number;
}

export interface ListType {
  readonly kind: 'list';
  readonly items: CelType;
  /** Sets and maps compare without regard to order. */
  readonly listType?: 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  readonly maxSize?: number;
}

/** An object with known fields, by their names in expressions (escaped). */
export interface ObjectType {
  readonly kind: 'object';
  readonly name: string;
  readonly fields: ReadonlyMap<string, CelType>;
}

const simple = (kind: SimpleKind): SimpleType => Object.freeze({ kind });

export const dynType: CelType = Object.freeze({ kind: 'dyn', isFree: false });
/** Becomes whatever it meets first. */
export const freeType: CelType = Object.freeze({ kind: 'dyn', isFree: true });
export const boolType = simple('bool');
export const intType = simple('int');
export const uintType = simple('uint');
export const doubleType = simple('double');
export const stringType = simple('string');
export const bytesType = simple('bytes');
export const nullType = simple('null');
export const timestampType = simple('timestamp');
export const durationType = simple('duration');
export const typeType: CelType = Object.freeze({ kind: 'type', of: undefined });

/** A type as a value. */
export const typeOf = (type: CelType): CelType => ({ kind: 'type', of: type });

export const listType = (items: CelType): CelType => ({ kind: 'list', items });
export const mapType = (keys: CelType, values: CelType): CelType => ({ kind: 'map', keys, values });
export const objectType = (name: string, fields: Iterable<readonly [string, CelType]>): ObjectType => ({
  kind: 'object',
  name,
  fields: new Map(fields),
});
export const opaqueType = (name: string, ...parameters: readonly CelType[]): CelType => ({
  kind: 'opaque',
  name,
  parameters,
});
export const optionalType = (inner: CelType): CelType => opaqueType('optional_type', inner);

export const isOptional = (type: CelType): type is CelType & { kind: 'opaque' } =>
  type.kind === 'opaque' && type.name === 'optional_type';
/** What an optional holds. */
export const innerOf = (type: CelType): CelType => (isOptional(type) ? (type.parameters[0] ?? dynType) : type);

/** As the refusals of the checker name a type. */
export const describeType = (type: CelType): string => nameOf(type, {});

/** As what an expression becomes is named. */
export const resultTypeName = (type: CelType): string => nameOf(type, longNames);

const longNames: Readonly<Record<string, string>> = {
  null: 'null_type',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
};

function nameOf(type: CelType, names: Readonly<Record<string, string>>): string {
  switch (type.kind) {
    case 'list':
      return `list(${nameOf(type.items, names)})`;
    case 'map':
      return `map(${nameOf(type.keys, names)}, ${nameOf(type.values, names)})`;
    case 'object':
    case 'parameter':
      return type.name;
    case 'opaque': {
      const inner = type.parameters.map((parameter) => nameOf(parameter, names));
      return inner.length === 0 ? type.name : `${type.name}(${inner.join(', ')})`;
    }
    case 'type':
      return type.of ? `type(${nameOf(type.of, names)})` : 'type';
    default:
      return names[type.kind] ?? type.kind;
  }
}

/** Whether a part of it is open yet. */
export function hasFree(type: CelType): boolean {
  switch (type.kind) {
    case 'dyn':
      return type.isFree;
    case 'list':
      return hasFree(type.items);
    case 'map':
      return hasFree(type.keys) || hasFree(type.values);
    case 'opaque':
      return type.parameters.some(hasFree);
    default:
      return false;
  }
}

/** What the parameters of a signature stand for in one call. */
export type Bindings = Map<string, CelType>;

/** Whether a value of type `given` can stand where `wanted` is; binds the parameters in `wanted`. */
export function isAssignable(wanted: CelType, given: CelType, bindings: Bindings = new Map()): boolean {
  if (wanted.kind === 'parameter') return bind(wanted.name, given, bindings);
  if (wanted.kind === 'dyn' || given.kind === 'dyn') return true;
  if (given.kind === 'null') return ['null', 'object', 'opaque', 'timestamp', 'duration'].includes(wanted.kind);
  switch (wanted.kind) {
    case 'list':
      return given.kind === 'list' && isAssignable(wanted.items, given.items, bindings);
    case 'map':
      return (
        given.kind === 'map' &&
        isAssignable(wanted.keys, given.keys, bindings) &&
        isAssignable(wanted.values, given.values, bindings)
      );
    case 'object':
      return given.kind === 'object' && given.name === wanted.name;
    case 'opaque':
      return (
        given.kind === 'opaque' &&
        given.name === wanted.name &&
        wanted.parameters.every((parameter, index) =>
          isAssignable(parameter, given.parameters[index] ?? dynType, bindings),
        )
      );
    default:
      return wanted.kind === given.kind;
  }
}

function bind(name: string, given: CelType, bindings: Bindings): boolean {
  const bound = bindings.get(name);
  if (bound && hasFree(bound) && isAssignable(bound, given)) {
    bindings.set(name, joinTypes(bound, given));
    return true;
  }
  if (!bound || bound.kind === 'dyn' || bound.kind === 'null') {
    if (!bound || bound.kind === 'dyn' || isAssignable(given, bound)) {
      if (!bound || bound.kind === 'null') bindings.set(name, given);
      return true;
    }
    return false;
  }
  return isAssignable(bound, given) || isAssignable(given, bound);
}

/** The type with its parameters replaced; those that nothing bound are open. */
export function substitute(type: CelType, bindings: Bindings): CelType {
  switch (type.kind) {
    case 'parameter':
      return bindings.get(type.name) ?? freeType;
    case 'list':
      return listType(substitute(type.items, bindings));
    case 'map':
      return mapType(substitute(type.keys, bindings), substitute(type.values, bindings));
    case 'opaque':
      return opaqueType(type.name, ...type.parameters.map((parameter) => substitute(parameter, bindings)));
    default:
      return type;
  }
}

/** The type of either of two values: dyn where they differ. */
export const joinTypes = (a: CelType, b: CelType): CelType => commonType(a, b) ?? dynType;

/** The one type that both have; undefined where they differ. */
export function commonType(a: CelType, b: CelType): CelType | undefined {
  if (isFree(a) || a.kind === 'null') return b;
  if (isFree(b) || b.kind === 'null') return a;
  if (describeType(a) === describeType(b) && !hasFree(a)) return a;
  if (a.kind === 'list' && b.kind === 'list') {
    const items = commonType(a.items, b.items);
    return items && listType(items);
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const [keys, values] = [commonType(a.keys, b.keys), commonType(a.values, b.values)];
    return keys && values && mapType(keys, values);
  }
  if (isOptional(a) && isOptional(b)) {
    const inner = commonType(innerOf(a), innerOf(b));
    return inner && optionalType(inner);
  }
  return undefined;
}

const isFree = (type: CelType): boolean => type.kind === 'dyn' && type.isFree;
/** Of any type, because it says so. */
export const isDynamic = (type: CelType): boolean => type.kind === 'dyn' && !type.isFree;

import { CelError } from './errors.js';

/**
 * A value while an expression runs. Integers are bigint, doubles are number; lists, maps and objects are views of what
 * they were made from, so that nothing is converted that nobody looks at.
 */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | CelUint
  | CelList
  | CelMap
  | CelTimestamp
  | CelDuration
  | CelTypeValue
  | CelOpaque;

/** An unsigned integer of 64 bits. */
export class CelUint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** Nanoseconds since 1970. */
export class CelTimestamp {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export class CelDuration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** The value of `type(x)`. */
export class CelTypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A value that only its library understands: quantities, URLs, optionals, the authorizer. */
export abstract class CelOpaque {
  abstract readonly typeName: string;
  abstract equals(other: CelValue): boolean;
}

export class CelOptional extends CelOpaque {
  readonly typeName = 'optional_type';
  readonly value: CelValue | undefined;

  constructor(value: CelValue | undefined) {
    super();
    this.value = value;
  }

  equals(other: CelValue): boolean {
    if (!(other instanceof CelOptional)) return false;
    if (this.value === undefined || other.value === undefined) return this.value === other.value;
    return equalValues(this.value, other.value);
  }
}

export const noneValue = new CelOptional(undefined);

export abstract class CelList {
  abstract readonly length: number;
  /** Undefined outside the list. */
  abstract at(index: number): CelValue | undefined;
  /** How items that are a set or a map compare; undefined: by position. */
  readonly identity: ((item: CelValue) => string) | undefined = undefined;

  *[Symbol.iterator](): Generator<CelValue> {
    for (let i = 0; i < this.length; i++) {
      const item = this.at(i);
      if (item !== undefined) yield item;
    }
  }
}

export class ValueList extends CelList {
  readonly #items: readonly CelValue[];
  override readonly identity: ((item: CelValue) => string) | undefined;

  constructor(items: readonly CelValue[], identity?: (item: CelValue) => string) {
    super();
    this.#items = items;
    this.identity = identity;
  }

  get length(): number {
    return this.#items.length;
  }

  at(index: number): CelValue | undefined {
    return index < 0 ? undefined : this.#items[index];
  }
}

export abstract class CelMap {
  abstract readonly size: number;
  /** Name of the type of an object; `map` otherwise. */
  readonly typeName: string = 'map';
  abstract get(key: CelValue): CelValue | undefined;
  abstract keys(): readonly CelValue[];
}

/** A map that an expression made; of equal keys the last counts. */
export class ValueMap extends CelMap {
  readonly #entries: ReadonlyMap<string, readonly [CelValue, CelValue]>;

  constructor(entries: Iterable<readonly [CelValue, CelValue]>) {
    super();
    const map = new Map<string, readonly [CelValue, CelValue]>();
    for (const entry of entries) {
      const key = mapKey(entry[0]);
      if (key === undefined) throw new CelError(`unsupported key type: ${typeNameOf(entry[0])}`);
      map.set(key, entry);
    }
    this.#entries = map;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: CelValue): CelValue | undefined {
    const text = mapKey(key);
    return text === undefined ? undefined : this.#entries.get(text)?.[1];
  }

  keys(): readonly CelValue[] {
    return [...this.#entries.values()].map(([key]) => key);
  }
}

/** A map whose values are made when somebody asks for them, once. */
export class LazyMap extends CelMap {
  override readonly typeName: string;
  readonly #values: ReadonlyMap<string, () => CelValue>;
  readonly #made = new Map<string, CelValue>();

  constructor(typeName: string, values: Iterable<readonly [string, () => CelValue]>) {
    super();
    this.typeName = typeName;
    this.#values = new Map(values);
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string') return undefined;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const value = this.#values.get(key)?.();
    if (value !== undefined) this.#made.set(key, value);
    return value;
  }

  keys(): readonly CelValue[] {
    return [...this.#values.keys()];
  }
}

/** An object that an expression made: `Object.spec{...}`. */
export class StructValue extends CelMap {
  override readonly typeName: string;
  readonly #fields: ReadonlyMap<string, CelValue>;

  constructor(typeName: string, fields: ReadonlyMap<string, CelValue>) {
    super();
    this.typeName = typeName;
    this.#fields = fields;
  }

  get size(): number {
    return this.#fields.size;
  }

  get(key: CelValue): CelValue | undefined {
    return typeof key === 'string' ? this.#fields.get(key) : undefined;
  }

  keys(): readonly CelValue[] {
    return [...this.#fields.keys()];
  }
}

export const isInt64 = (value: bigint): boolean => value >= -(2n ** 63n) && value < 2n ** 63n;
export const isUint64 = (value: bigint): boolean => value >= 0n && value < 2n ** 64n;

/** Equal keys have equal texts: 1, 1u and 1.0 are one key. */
function mapKey(key: CelValue): string | undefined {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'bigint') return `n${key}`;
  if (key instanceof CelUint) return `n${key.value}`;
  if (typeof key === 'boolean') return `b${key}`;
  if (typeof key === 'number') return Number.isInteger(key) ? `n${BigInt(key)}` : `n${key}`;
  if (key === null) return 'null';
  return undefined;
}

/** As the original's messages show a key. */
export function describeKey(key: CelValue): string {
  if (typeof key === 'string') return key;
  if (key instanceof CelUint) return String(key.value);
  return typeof key === 'bigint' || typeof key === 'number' || typeof key === 'boolean' ? String(key) : typeNameOf(key);
}

/** The name of the type of a value at run time. */
export function typeNameOf(value: CelValue): string {
  if (value === null) return 'null_type';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
  }
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof CelUint) return 'uint';
  if (value instanceof CelList) return 'list';
  if (value instanceof CelTimestamp) return 'google.protobuf.Timestamp';
  if (value instanceof CelDuration) return 'google.protobuf.Duration';
  return value instanceof CelTypeValue ? 'type' : value.typeName;
}

/** What a value weighs in a budget: characters, bytes, items. */
export function sizeOf(value: CelValue | undefined): number {
  if (typeof value === 'string' || value instanceof Uint8Array || value instanceof CelList) return value.length;
  return value instanceof CelMap ? value.size : 1;
}

/** Numbers of different types are equal by value; values of different types never are. `spend` is told of each step. */
export function equalValues(a: CelValue, b: CelValue, spend: (units: number) => void = () => {}): boolean {
  if (a === b) return true;
  spend(typeof a === 'string' ? 1 + Math.min(a.length, sizeOf(b)) / 10 : 1);
  const x = numberOf(a);
  if (x !== undefined) {
    const y = numberOf(b);
    // Mixed numbers compare by value, as JavaScript compares bigint and number.
    // oxlint-disable-next-line eqeqeq
    return y !== undefined && x == y;
  }
  if (a instanceof CelList) return b instanceof CelList && equalLists(a, b, spend);
  if (a instanceof CelMap) return b instanceof CelMap && equalMaps(a, b, spend);
  if (a instanceof CelTimestamp) return b instanceof CelTimestamp && a.nanos === b.nanos;
  if (a instanceof CelDuration) return b instanceof CelDuration && a.nanos === b.nanos;
  if (a instanceof CelTypeValue) return b instanceof CelTypeValue && a.name === b.name;
  if (a instanceof CelOpaque) return a.equals(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return false;
}

/** A bigint or number for what counts, undefined for the rest. */
export function numberOf(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof CelUint ? value.value : undefined;
}

function equalLists(a: CelList, b: CelList, spend: (units: number) => void): boolean {
  if (a.length !== b.length) return false;
  const { identity } = a;
  if (identity) {
    const others = new Map<string, CelValue>();
    for (const item of b) others.set(identity(item), item);
    for (const item of a) {
      const other = others.get(identity(item));
      if (other === undefined || !equalValues(item, other, spend)) return false;
    }
    return true;
  }
  for (let i = 0; i < a.length; i++) {
    const left = a.at(i);
    const right = b.at(i);
    if (left === undefined || right === undefined || !equalValues(left, right, spend)) return false;
  }
  return true;
}

function equalMaps(a: CelMap, b: CelMap, spend: (units: number) => void): boolean {
  if (a.size !== b.size) return false;
  return a.keys().every((key) => {
    const left = a.get(key);
    const right = b.get(key);
    return left !== undefined && right !== undefined && equalValues(left, right, spend);
  });
}

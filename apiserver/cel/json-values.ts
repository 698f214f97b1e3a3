import { formatDuration, formatTimestamp, parseDuration, parseTimestamp } from './time-values.js';
import type { CelType, ListType, ObjectType } from './types.js';
import { dynType } from './types.js';
import {
  CelDuration,
  CelList,
  CelMap,
  CelOpaque,
  CelOptional,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  equalValues,
  isInt64,
  ValueList,
  type CelValue,
} from './values.js';

type Json = Readonly<Record<string, unknown>>;

/** A value of JSON as an expression sees it: integers and doubles by the type, objects by their known fields. */
export function fromJson(json: unknown, type: CelType = dynType): CelValue {
  if (json === null || json === undefined) return null;
  switch (typeof json) {
    case 'boolean':
      return json;
    case 'number':
      return fromNumber(json, type);
    case 'string':
      return fromString(json, type);
    case 'bigint':
      return json;
    default:
      if (Array.isArray(json)) return new JsonList(json, type.kind === 'list' ? type : anyList);
      return type.kind === 'object' ? new JsonObjectView(json as Json, type) : new JsonMap(json as Json, type);
  }
}

const anyList: ListType = { kind: 'list', items: dynType };

function fromNumber(json: number, type: CelType): CelValue {
  if (type.kind === 'double' || !Number.isInteger(json)) return json;
  const integer = BigInt(json);
  return isInt64(integer) ? integer : json;
}

function fromString(json: string, type: CelType): CelValue {
  switch (type.kind) {
    case 'timestamp':
      return parseTimestamp(json) ?? json;
    case 'duration':
      return parseDuration(json) ?? json;
    case 'bytes':
      return new Uint8Array(Buffer.from(json, 'base64'));
    default:
      return json;
  }
}

class JsonList extends CelList {
  readonly #json: readonly unknown[];
  readonly #type: ListType;
  readonly #made: CelValue[] = [];
  override readonly identity: ((item: CelValue) => string) | undefined;

  constructor(json: readonly unknown[], type: ListType) {
    super();
    this.#json = json;
    this.#type = type;
    this.identity = identityOf(type);
  }

  get length(): number {
    return this.#json.length;
  }

  at(index: number): CelValue | undefined {
    if (index < 0 || index >= this.#json.length) return undefined;
    return (this.#made[index] ??= fromJson(this.#json[index], this.#type.items));
  }
}

/** By what items of a set or a map are the same. */
function identityOf({ listType, listMapKeys }: ListType): ((item: CelValue) => string) | undefined {
  if (listType === 'set') return (item) => JSON.stringify(toJson(item));
  if (listType !== 'map') return undefined;
  return (item) =>
    JSON.stringify((listMapKeys ?? []).map((key) => (item instanceof CelMap ? toJson(item.get(key) ?? null) : null)));
}

class JsonMap extends CelMap {
  readonly #json: Json;
  readonly #values: CelType;
  readonly #made = new Map<string, CelValue>();
  #keys: readonly string[] | undefined;

  constructor(json: Json, type: CelType) {
    super();
    this.#json = json;
    this.#values = type.kind === 'map' ? type.values : dynType;
  }

  get size(): number {
    return this.keys().length;
  }

  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.#json, key)) return undefined;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = fromJson(this.#json[key], this.#values);
    this.#made.set(key, made);
    return made;
  }

  keys(): readonly string[] {
    return (this.#keys ??= Object.keys(this.#json));
  }
}

/** An object whose fields a schema names: other fields do not exist, absent ones are absent. */
class JsonObjectView extends CelMap {
  readonly #json: Json;
  readonly #type: ObjectType;
  readonly #made = new Map<string, CelValue>();
  override readonly typeName: string;

  constructor(json: Json, type: ObjectType) {
    super();
    this.#json = json;
    this.#type = type;
    this.typeName = type.name;
  }

  get size(): number {
    return this.keys().length;
  }

  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string') return undefined;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const field = this.#type.fields.get(key);
    const name = unescapeName(key);
    if (!field || !Object.hasOwn(this.#json, name) || this.#json[name] === undefined) return undefined;
    const made = fromJson(this.#json[name], field);
    this.#made.set(key, made);
    return made;
  }

  keys(): readonly string[] {
    return Object.keys(this.#json)
      .map(escapeName)
      .filter((name) => this.#type.fields.has(name));
  }
}

const keywords = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** The name that stands for a property in expressions: what is no identifier is spelled out. */
export function escapeName(name: string): string {
  if (keywords.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

/** False for names that no expression can spell. */
export const isEscapable = (name: string): boolean => /^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(name);

const escapes: Readonly<Record<string, string>> = { underscores: '__', dot: '.', dash: '-', slash: '/' };

function unescapeName(name: string): string {
  if (!name.includes('__')) return name;
  const whole = /^__([a-z]+)__$/.exec(name)?.[1];
  if (whole !== undefined && keywords.has(whole)) return whole;
  return name.replaceAll(/__(underscores|dot|dash|slash)__/g, (all, word: string) => escapes[word] ?? all);
}

/** A value as JSON; what JSON has no form for is text. */
export function toJson(value: CelValue): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') {
    return value;
  }
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof CelUint) return Number(value.value);
  if (value instanceof CelList) return [...value].map(toJson);
  if (value instanceof CelTimestamp) return formatTimestamp(value);
  if (value instanceof CelDuration) return formatDuration(value);
  if (value instanceof CelTypeValue) return value.name;
  if (value instanceof CelOptional) return value.value === undefined ? null : toJson(value.value);
  if (value instanceof CelOpaque) return value.typeName;
  const object: Record<string, unknown> = {};
  for (const key of value.keys()) {
    const name = typeof key === 'string' ? unescapedIn(value, key) : String(toJson(key));
    Object.defineProperty(object, name, {
      value: toJson(value.get(key) ?? null),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return object;
}

/** Only fields of objects are escaped; keys of maps stand as they are. */
const unescapedIn = (map: CelMap, key: string): string => (map.typeName === 'map' ? key : unescapeName(key));

/** `a + b` of lists: sets and maps keep one item of each identity, that of `b` where both have it. */
export function concatLists(a: CelList, b: CelList): CelList {
  const { identity } = a;
  if (!identity) return new ValueList([...a, ...b]);
  const items = new Map<string, CelValue>();
  for (const item of a) items.set(identity(item), item);
  for (const item of b) {
    const key = identity(item);
    const known = items.get(key);
    if (known === undefined || !equalValues(known, item)) items.set(key, item);
  }
  return new ValueList([...items.values()], identity);
}

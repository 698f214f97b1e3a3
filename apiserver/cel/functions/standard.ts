import { CelError } from '../errors.js';
import { constant, define, type Overload } from '../functions.js';
import { concatLists } from '../json-values.js';
import {
  durationOf,
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
  timestampOf,
} from '../time-values.js';
import {
  CelDuration,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  describeKey,
  equalValues,
  isInt64,
  isUint64,
  sizeOf,
  typeNameOf,
  type CelList,
  type CelMap,
  type CelValue,
} from '../values.js';

const checkedInt = (value: bigint): bigint => {
  if (!isInt64(value)) throw new CelError('integer overflow');
  return value;
};
const checkedUint = (value: bigint): CelUint => {
  if (!isUint64(value)) throw new CelError('unsigned integer overflow');
  return new CelUint(value);
};
const checkedTimestamp = (nanos: bigint): CelTimestamp => {
  const made = timestampOf(nanos);
  if (!made) throw new CelError('timestamp overflow');
  return made;
};
const checkedDuration = (nanos: bigint): CelDuration => {
  const made = durationOf(nanos);
  if (!made) throw new CelError('duration overflow');
  return made;
};
const nonZero = (value: bigint, what: string): bigint => {
  if (value === 0n) throw new CelError(what);
  return value;
};
const byZero = 'division by zero';
const modulusByZero = 'modulus by zero';

const arithmetic: readonly Overload[] = [
  define('_+_(int, int) -> int', (a: bigint, b: bigint) => checkedInt(a + b), constant),
  define('_+_(uint, uint) -> uint', (a: CelUint, b: CelUint) => checkedUint(a.value + b.value), constant),
  define('_+_(double, double) -> double', (a: number, b: number) => a + b, constant),
  define('_+_(string, string) -> string', (a: string, b: string) => a + b),
  define('_+_(bytes, bytes) -> bytes', (a: Uint8Array, b: Uint8Array) => new Uint8Array(Buffer.concat([a, b]))),
  define('_+_(list<T>, list<T>) -> list<T>', (a: CelList, b: CelList) => concatLists(a, b)),
  define('_+_(timestamp, duration) -> timestamp', (a: CelTimestamp, b: CelDuration) =>
    checkedTimestamp(a.nanos + b.nanos),
  ),
  define('_+_(duration, timestamp) -> timestamp', (a: CelDuration, b: CelTimestamp) =>
    checkedTimestamp(a.nanos + b.nanos),
  ),
  define('_+_(duration, duration) -> duration', (a: CelDuration, b: CelDuration) => checkedDuration(a.nanos + b.nanos)),
  define('_-_(int, int) -> int', (a: bigint, b: bigint) => checkedInt(a - b), constant),
  define('_-_(uint, uint) -> uint', (a: CelUint, b: CelUint) => checkedUint(a.value - b.value), constant),
  define('_-_(double, double) -> double', (a: number, b: number) => a - b, constant),
  define('_-_(timestamp, timestamp) -> duration', (a: CelTimestamp, b: CelTimestamp) =>
    checkedDuration(a.nanos - b.nanos),
  ),
  define('_-_(timestamp, duration) -> timestamp', (a: CelTimestamp, b: CelDuration) =>
    checkedTimestamp(a.nanos - b.nanos),
  ),
  define('_-_(duration, duration) -> duration', (a: CelDuration, b: CelDuration) => checkedDuration(a.nanos - b.nanos)),
  define('_*_(int, int) -> int', (a: bigint, b: bigint) => checkedInt(a * b), constant),
  define('_*_(uint, uint) -> uint', (a: CelUint, b: CelUint) => checkedUint(a.value * b.value), constant),
  define('_*_(double, double) -> double', (a: number, b: number) => a * b, constant),
  define('_/_(int, int) -> int', (a: bigint, b: bigint) => checkedInt(a / nonZero(b, byZero)), constant),
  define(
    '_/_(uint, uint) -> uint',
    (a: CelUint, b: CelUint) => checkedUint(a.value / nonZero(b.value, byZero)),
    constant,
  ),
  define('_/_(double, double) -> double', (a: number, b: number) => a / b, constant),
  define('_%_(int, int) -> int', (a: bigint, b: bigint) => checkedInt(a % nonZero(b, modulusByZero)), constant),
  define(
    '_%_(uint, uint) -> uint',
    (a: CelUint, b: CelUint) => checkedUint(a.value % nonZero(b.value, modulusByZero)),
    constant,
  ),
  define('-_(int) -> int', (a: bigint) => checkedInt(-a), constant),
  define('-_(double) -> double', (a: number) => -a, constant),
  define('!_(bool) -> bool', (a: boolean) => !a, constant),
];

type Comparison = (order: number) => boolean;
const comparisons: readonly (readonly [string, Comparison])[] = [
  ['<', (order) => order < 0],
  ['<=', (order) => order <= 0],
  ['>', (order) => order > 0],
  ['>=', (order) => order >= 0],
];
const numbers = ['int', 'uint', 'double'];

function ordering(symbol: string, isTrue: Comparison): Overload[] {
  const same = ['bool', 'string', 'bytes', 'timestamp', 'duration'].map((type) =>
    define(`_${symbol}_(${type}, ${type}) -> bool`, (a: CelValue, b: CelValue) => isTrue(compare(a, b))),
  );
  const mixed = numbers.flatMap((left) =>
    numbers.map((right) =>
      define(
        `_${symbol}_(${left}, ${right}) -> bool`,
        // NaN is neither before, after nor equal to anything.
        (a: CelValue, b: CelValue) => !Number.isNaN(a) && !Number.isNaN(b) && isTrue(compare(a, b)),
        constant,
      ),
    ),
  );
  return [...mixed, ...same];
}

/** -1, 0 or 1 for two values of one kind; numbers of all types are one kind. Strings compare by code points. */
export function compare(a: CelValue, b: CelValue): number {
  if (typeof a === 'string' && typeof b === 'string') {
    return a === b ? 0 : isAscii(a) && isAscii(b) ? (a < b ? -1 : 1) : Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  const x = scalarOf(a);
  const y = scalarOf(b);
  if (x === undefined || y === undefined) throw new CelError(`no such overload: ${typeNameOf(a)} < ${typeNameOf(b)}`);
  return x < y ? -1 : x > y ? 1 : 0;
}

// oxlint-disable-next-line no-control-regex
const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text);

function scalarOf(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof CelUint) return value.value;
  return value instanceof CelTimestamp || value instanceof CelDuration ? value.nanos : undefined;
}

function fromDouble(value: number, check: (value: bigint) => CelValue): CelValue {
  // The bounds themselves cannot be told from what lies beyond them.
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 64) throw new CelError('integer overflow');
  return check(BigInt(Math.trunc(value)));
}

function parseInteger(text: string, check: (value: bigint) => CelValue, pattern: RegExp, type: string): CelValue {
  if (text.length > 64 || !pattern.test(text)) {
    throw new CelError(`type conversion error from 'string' to '${type}'`);
  }
  const value = BigInt(text.replace(/^\+/, ''));
  if (type === 'int' ? !isInt64(value) : !isUint64(value))
    throw new CelError(`type conversion error from 'string' to '${type}'`);
  return check(value);
}

const booleans: Readonly<Record<string, boolean>> = {
  '1': true,
  t: true,
  true: true,
  TRUE: true,
  True: true,
  T: true,
  '0': false,
  f: false,
  false: false,
  FALSE: false,
  False: false,
  F: false,
};

function toBoolean(text: string): boolean {
  const value = Object.hasOwn(booleans, text) ? booleans[text] : undefined;
  if (value === undefined) throw new CelError("type conversion error from 'string' to 'bool'");
  return value;
}

function toDouble(text: string): number {
  const value = /^[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|Inf(inity)?|NaN)$/i.test(text)
    ? Number(text.replace(/inf(inity)?/i, 'Infinity').replace(/nan/i, 'NaN'))
    : undefined;
  if (value === undefined || (!Number.isFinite(value) && !/inf|nan/i.test(text)))
    throw new CelError("type conversion error from 'string' to 'double'");
  return value;
}

function toDuration(text: string): CelDuration {
  const value = parseDuration(text);
  if (!value) throw new CelError(`type conversion error from 'string' to 'google.protobuf.Duration'`);
  return value;
}

function toTimestamp(text: string): CelTimestamp {
  const value = text.includes('T') ? parseTimestamp(text) : undefined;
  if (!value) throw new CelError(`type conversion error from 'string' to 'google.protobuf.Timestamp'`);
  return value;
}

const plain = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** As Go's %g prints a double. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const magnitude = Math.abs(value);
  const exponent = Number(value.toExponential().split('e')[1] ?? 0);
  if (value === 0 || (magnitude >= 1e-4 && exponent < 6)) return plain(value);
  return value.toExponential().replace(/e([-+])(\d)$/, 'e$10$2');
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string');
  }
}

const same = (value: CelValue): CelValue => value;
const codePoints = (text: string): bigint => {
  let count = text.length;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >> 10 === 0b110110) count -= 1;
  return BigInt(count);
};

const conversions: readonly Overload[] = [
  define('int(int) -> int', same, constant),
  define('int(uint) -> int', (value: CelUint) => checkedInt(value.value), constant),
  define('int(double) -> int', (value: number) => fromDouble(value, checkedInt), constant),
  define('int(string) -> int', (text: string) => parseInteger(text, checkedInt, /^[-+]?\d+$/, 'int')),
  define('int(duration) -> int', ({ nanos }: CelDuration) => nanos, constant),
  define('int(timestamp) -> int', ({ nanos }: CelTimestamp) => floorDivide(nanos, 1_000_000_000n), constant),
  define('uint(uint) -> uint', same, constant),
  define('uint(int) -> uint', (value: bigint) => checkedUint(value), constant),
  define(
    'uint(double) -> uint',
    // Also what would round to zero.
    (value: number) => (value < 0 ? checkedUint(-1n) : fromDouble(value, checkedUint)),
    constant,
  ),
  define('uint(string) -> uint', (text: string) => parseInteger(text, checkedUint, /^\d+$/, 'uint')),
  define('double(double) -> double', same, constant),
  define('double(int) -> double', (value: bigint) => Number(value), constant),
  define('double(uint) -> double', (value: CelUint) => Number(value.value), constant),
  define('double(string) -> double', toDouble),
  define('bool(bool) -> bool', same, constant),
  define('bool(string) -> bool', toBoolean),
  define('string(string) -> string', same, constant),
  define('string(bool) -> string', String, constant),
  define('string(int) -> string', String, constant),
  define('string(uint) -> string', (value: CelUint) => String(value.value), constant),
  define('string(double) -> string', formatDouble, constant),
  define('string(bytes) -> string', decodeUtf8),
  define('string(timestamp) -> string', formatTimestamp, constant),
  define('string(duration) -> string', formatDuration, constant),
  define('bytes(bytes) -> bytes', same, constant),
  define('bytes(string) -> bytes', (text: string) => new Uint8Array(Buffer.from(text))),
  define('duration(duration) -> duration', same, constant),
  define('duration(string) -> duration', toDuration),
  define('timestamp(timestamp) -> timestamp', same, constant),
  define('timestamp(string) -> timestamp', toTimestamp),
  define('timestamp(int) -> timestamp', (value: bigint) => checkedTimestamp(value * 1_000_000_000n), constant),
  define('type(T) -> type', (value: CelValue) => new CelTypeValue(typeNameOf(value)), constant),
  define('dyn(T) -> dyn', same, constant),
];

/** Division that rounds down, also below zero. */
export const floorDivide = (value: bigint, by: bigint): bigint => (value - (((value % by) + by) % by)) / by;

function elementAt(list: CelList, index: CelValue): CelValue {
  const position = typeof index === 'bigint' ? Number(index) : index instanceof CelUint ? Number(index.value) : index;
  if (typeof position !== 'number' || !Number.isInteger(position)) {
    throw new CelError(`unsupported index type '${typeNameOf(index)}' in list`);
  }
  const found = list.at(position);
  if (found === undefined) throw new CelError(`index out of bounds: ${position}`);
  return found;
}

function valueOf(map: CelMap, key: CelValue): CelValue {
  const found = map.get(key);
  if (found === undefined) throw new CelError(`no such key: ${describeKey(key)}`);
  return found;
}

const collections: readonly Overload[] = [
  define('size(string) -> int', codePoints),
  define('size(bytes) -> int', (bytes: Uint8Array) => BigInt(bytes.length), constant),
  define('size(list<T>) -> int', (list: CelList) => BigInt(list.length), constant),
  define('size(map<K, V>) -> int', (map: CelMap) => BigInt(map.size), constant),
  define('string.size() -> int', codePoints),
  define('bytes.size() -> int', (bytes: Uint8Array) => BigInt(bytes.length), constant),
  define('list<T>.size() -> int', (list: CelList) => BigInt(list.length), constant),
  define('map<K, V>.size() -> int', (map: CelMap) => BigInt(map.size), constant),
  define('@in(T, list<T>) -> bool', (value: CelValue, list: CelList) => {
    for (const item of list) if (equalValues(item, value)) return true;
    return false;
  }),
  define('@in(K, map<K, V>) -> bool', (key: CelValue, map: CelMap) => map.get(key) !== undefined, constant),
  define('_[_](list<T>, int) -> T', elementAt, constant),
  define('_[_](list<T>, uint) -> T', elementAt, constant),
  define('_[_](list<T>, double) -> T', elementAt, constant),
  define('_[_](map<K, V>, K) -> V', valueOf, constant),
];

const texts: readonly Overload[] = [
  define('string.startsWith(string) -> bool', (text: string, start: string) => text.startsWith(start)),
  define('string.endsWith(string) -> bool', (text: string, end: string) => text.endsWith(end)),
  define(
    'string.contains(string) -> bool',
    (text: string, part: string) => text.includes(part),
    ([text, part]) => 1 + (sizeOf(text) / 10) * Math.max(1, sizeOf(part) / 10),
  ),
];

/** What the language itself defines, but for the operators that do not need all of their operands. */
export const standardFunctions: readonly Overload[] = [
  ...arithmetic,
  ...comparisons.flatMap(([symbol, isTrue]) => ordering(symbol, isTrue)),
  ...conversions,
  ...collections,
  ...texts,
];

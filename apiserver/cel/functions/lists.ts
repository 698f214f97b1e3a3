import { CelError } from '../errors.js';
import { crossProduct, define, type Overload } from '../functions.js';
import { CelDuration, CelList, CelUint, equalValues, ValueList, type CelValue } from '../values.js';
import { compare } from './standard.js';

const sortable = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'timestamp', 'duration'];
const summable: Readonly<Record<string, CelValue>> = {
  int: 0n,
  uint: new CelUint(0n),
  double: 0,
  duration: new CelDuration(0n),
};

function isSorted(list: CelList): boolean {
  let previous: CelValue | undefined;
  for (const item of list) {
    if (previous !== undefined && compare(previous, item) > 0) return false;
    previous = item;
  }
  return true;
}

function extreme(list: CelList, sign: 1 | -1, name: string): CelValue {
  let best: CelValue | undefined;
  for (const item of list) if (best === undefined || compare(item, best) * sign > 0) best = item;
  if (best === undefined) throw new CelError(`${name} called on empty list`);
  return best;
}

function sum(list: CelList, zero: CelValue): CelValue {
  let total: CelValue | undefined;
  for (const item of list) total = total === undefined ? item : add(total, item);
  return total ?? zero;
}

function add(a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'bigint' && typeof b === 'bigint') return bounded(a + b, -(2n ** 63n), 2n ** 63n);
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a instanceof CelUint && b instanceof CelUint) return new CelUint(bounded(a.value + b.value, 0n, 2n ** 64n));
  if (a instanceof CelDuration && b instanceof CelDuration) {
    return new CelDuration(bounded(a.nanos + b.nanos, -(2n ** 63n), 2n ** 63n));
  }
  throw new CelError('no such overload: sum');
}

function bounded(value: bigint, low: bigint, high: bigint): bigint {
  if (value < low || value >= high) throw new CelError('integer overflow');
  return value;
}

function find(list: CelList, wanted: CelValue, isLast: boolean): bigint {
  let found = -1n;
  let index = 0n;
  for (const item of list) {
    if (equalValues(item, wanted)) {
      found = index;
      if (!isLast) return found;
    }
    index += 1n;
  }
  return found;
}

const includes = (list: CelList, wanted: CelValue): boolean => find(list, wanted, false) >= 0n;
const all = (list: CelList, test: (item: CelValue) => boolean): boolean => {
  for (const item of list) if (!test(item)) return false;
  return true;
};

function flatten(list: CelList, depth: bigint): CelList {
  if (depth < 0n) throw new CelError('level must be non-negative');
  const items: CelValue[] = [];
  for (const item of list) {
    if (item instanceof CelList && depth > 0n) items.push(...flatten(item, depth - 1n));
    else items.push(item);
  }
  return new ValueList(items);
}

function slice(list: CelList, from: bigint, to: bigint): CelList {
  const problem =
    from < 0n || to < 0n
      ? 'negative indexes not supported'
      : from > to
        ? 'start index must be less than or equal to end index'
        : undefined;
  if (problem !== undefined) throw new CelError(`cannot slice(${from}, ${to}), ${problem}`);
  if (to > BigInt(list.length)) {
    throw new CelError(`cannot slice(${from}, ${to}), list is length ${list.length}`);
  }
  return new ValueList([...list].slice(Number(from), Number(to)));
}

function range(count: bigint): CelList {
  if (count < 0n) throw new CelError(`lists.range: size must be non-negative, got ${count}`);
  if (count > 1_000_000n) throw new CelError('lists.range is too long');
  return new ValueList(Array.from({ length: Math.max(0, Number(count)) }, (_, index) => BigInt(index)));
}

function distinct(list: CelList): CelList {
  const items: CelValue[] = [];
  for (const item of list) if (!items.some((known) => equalValues(known, item))) items.push(item);
  return new ValueList(items);
}

const square = ([list]: readonly CelValue[]): number => 1 + (list as CelList).length ** 2;

/** Kubernetes' library of lists, and the extension library of sets. */
export const listFunctions: readonly Overload[] = [
  ...sortable.flatMap((type) => [
    define(`list<${type}>.isSorted() -> bool`, isSorted),
    define(`list<${type}>.min() -> ${type}`, (list: CelList) => extreme(list, -1, 'min')),
    define(`list<${type}>.max() -> ${type}`, (list: CelList) => extreme(list, 1, 'max')),
    define(`list<${type}>.sort() -> list<${type}>`, (list: CelList) => new ValueList([...list].sort(compare)), square),
  ]),
  ...Object.entries(summable).map(([type, zero]) =>
    define(`list<${type}>.sum() -> ${type}`, (list: CelList) => sum(list, zero)),
  ),
  define('list<T>.indexOf(T) -> int', (list: CelList, item: CelValue) => find(list, item, false)),
  define('list<T>.lastIndexOf(T) -> int', (list: CelList, item: CelValue) => find(list, item, true)),
  define('list<T>.slice(int, int) -> list<T>', slice),
  define('list<list<T>>.flatten() -> list<T>', (list: CelList) => flatten(list, 1n), square),
  define('list<T>.flatten(int) -> list<dyn>', flatten, square),
  define('list<T>.reverse() -> list<T>', (list: CelList) => new ValueList([...list].reverse())),
  define('list<T>.distinct() -> list<T>', distinct, square),
  define('::lists.range(int) -> list<int>', range, ([count]) => 1 + 5 * Math.max(0, Number(count))),
  define(
    '::sets.contains(list<T>, list<T>) -> bool',
    (list: CelList, part: CelList) => all(part, (item) => includes(list, item)),
    crossProduct,
  ),
  define(
    '::sets.equivalent(list<T>, list<T>) -> bool',
    (a: CelList, b: CelList) => all(a, (item) => includes(b, item)) && all(b, (item) => includes(a, item)),
    (args) => 2 * crossProduct(args),
  ),
  define(
    '::sets.intersects(list<T>, list<T>) -> bool',
    (a: CelList, b: CelList) => !all(a, (item) => !includes(b, item)),
    crossProduct,
  ),
];

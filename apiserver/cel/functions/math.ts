import { CelError } from '../errors.js';
import { constant, define, traversal, type Overload } from '../functions.js';
import { CelList, CelUint, numberOf, type CelValue } from '../values.js';
import { compare } from './standard.js';

const names = ['int', 'uint', 'double'];

function most(values: Iterable<CelValue>, sign: 1 | -1, name: string): CelValue {
  let best: CelValue | undefined;
  for (const value of values) {
    if (numberOf(value) === undefined) throw new CelError(`no such overload: math.@${name}`);
    if (best === undefined || compare(value, best) * sign > 0) best = value;
  }
  if (best === undefined) throw new CelError(`math.@${name}(list) argument must not be empty`);
  return best;
}

const extremes = (['greatest', 'least'] as const).flatMap((name) => {
  const sign = name === 'greatest' ? 1 : -1;
  const counted = [1, 2, 3, 4, 5, 6].map((count) =>
    define(
      `::math.${name}(${Array.from({ length: count }, () => 'dyn').join(', ')}) -> dyn`,
      (...values: CelValue[]) =>
        count === 1 && values[0] instanceof CelList ? most(values[0], sign, name) : most(values, sign, name),
      count === 1 ? traversal : constant,
    ),
  );
  return counted;
});

const rounding: readonly (readonly [string, (value: number) => number])[] = [
  ['ceil', Math.ceil],
  ['floor', Math.floor],
  ['trunc', Math.trunc],
  ['round', (value) => Math.sign(value) * Math.round(Math.abs(value))],
  ['sqrt', Math.sqrt],
];

function absolute(value: bigint): bigint {
  if (value === -(2n ** 63n)) throw new CelError('integer overflow');
  return value < 0n ? -value : value;
}

const bits = (name: string, operate: (a: bigint, b: bigint) => bigint): Overload[] => [
  define(`::math.${name}(int, int) -> int`, (a: bigint, b: bigint) => BigInt.asIntN(64, operate(a, b)), constant),
  define(
    `::math.${name}(uint, uint) -> uint`,
    (a: CelUint, b: CelUint) => new CelUint(BigInt.asUintN(64, operate(a.value, b.value))),
    constant,
  ),
];

function shift(by: bigint, operate: (by: bigint) => bigint): bigint {
  if (by < 0n) throw new CelError('math.bitShift() negative offset');
  return by >= 64n ? 0n : operate(by);
}

/** The extension library of mathematics. */
export const mathFunctions: readonly Overload[] = [
  ...extremes,
  ...rounding.map(([name, round]) => define(`::math.${name}(double) -> double`, round, constant)),
  define('::math.abs(int) -> int', absolute, constant),
  define('::math.abs(double) -> double', Math.abs, constant),
  define('::math.abs(uint) -> uint', (value: CelUint) => value, constant),
  define('::math.sign(int) -> int', (value: bigint) => (value > 0n ? 1n : value < 0n ? -1n : 0n), constant),
  define('::math.sign(double) -> double', Math.sign, constant),
  ...names
    .slice(2)
    .flatMap((name) => [
      define(`::math.isNaN(${name}) -> bool`, Number.isNaN, constant),
      define(`::math.isInf(${name}) -> bool`, (value: number) => Math.abs(value) === Infinity, constant),
      define(`::math.isFinite(${name}) -> bool`, Number.isFinite, constant),
    ]),
  ...bits('bitAnd', (a, b) => a & b),
  ...bits('bitOr', (a, b) => a | b),
  ...bits('bitXor', (a, b) => a ^ b),
  define('::math.bitNot(int) -> int', (value: bigint) => ~value, constant),
  define(
    '::math.bitShiftLeft(int, int) -> int',
    (value: bigint, by: bigint) =>
      BigInt.asIntN(
        64,
        shift(by, (count) => value << count),
      ),
    constant,
  ),
  define(
    '::math.bitShiftRight(int, int) -> int',
    (value: bigint, by: bigint) => shift(by, (count) => BigInt.asIntN(64, BigInt.asUintN(64, value) >> count)),
    constant,
  ),
];

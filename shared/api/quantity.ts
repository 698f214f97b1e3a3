/** How a quantity was written, and is written again: `1500m`, `2Gi`, `1e3`. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** An exact amount of a resource, counted in billionths, the smallest step that Kubernetes knows. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

/** The text is not a quantity. The messages are the original's. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const FORMAT_MESSAGE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX_MESSAGE = "unable to parse quantity's suffix";
const NUMERIC_MESSAGE = 'unable to parse numeric part of quantity';

const NANO = 1_000_000_000n;
const MILLI = 1_000_000n;
/** Amounts are capped at 2^63-1 whole units. */
const MAX_NANOS = (2n ** 63n - 1n) * NANO;
/** Longest text worth reading; longer ones only cost time. */
const MAX_LENGTH = 256;

const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY_SHIFTS: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** A suffix that most texts have: what one of it is, and how many of it are written with a bigger suffix. */
interface PlainUnit extends Quantity {
  readonly next: number;
}

const PLAIN_UNITS: ReadonlyMap<string, PlainUnit> = new Map([
  ['m', { nanos: MILLI, format: 'DecimalSI', next: 1000 }],
  ['', { nanos: NANO, format: 'DecimalSI', next: 1000 }],
  ['k', { nanos: 1000n * NANO, format: 'DecimalSI', next: 1000 }],
  ['M', { nanos: 1_000_000n * NANO, format: 'DecimalSI', next: 1000 }],
  ['G', { nanos: 1_000_000_000n * NANO, format: 'DecimalSI', next: 1000 }],
  ['Ki', { nanos: NANO << 10n, format: 'BinarySI', next: 1024 }],
  ['Mi', { nanos: NANO << 20n, format: 'BinarySI', next: 1024 }],
  ['Gi', { nanos: NANO << 30n, format: 'BinarySI', next: 1024 }],
]);
/** Of that many digits every unit above is far below the cap. */
const MAX_PLAIN_DIGITS = 12;

/** The digits that a text begins with, and where they end. */
function leadingCount(text: string): { count: number; end: number } {
  let end = 0;
  let count = 0;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end) - 48;
    if (code < 0 || code > 9) break;
    count = count * 10 + code;
  }
  return { count, end };
}

/** Too big to be read without digits. */
const BIGGEST_BINARY = new Set(['Pi', 'Ei']);

const SHAPE = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*)([-+]?[0-9]*)$/;

/**
 * Reads a quantity. Parts below a billionth round away from zero, amounts beyond 2^63-1 are capped.
 * @throws QuantityError
 */
export function parseQuantity(text: string): Quantity {
  const { count, end } = leadingCount(text);
  const plain = end === 0 || end > MAX_PLAIN_DIGITS ? undefined : PLAIN_UNITS.get(text.slice(end));
  if (plain) return { nanos: BigInt(count) * plain.nanos, format: plain.format };
  const match = text.length > MAX_LENGTH ? null : SHAPE.exec(text);
  if (match === null) throw new QuantityError(FORMAT_MESSAGE);
  const [, sign = '', whole = '', fraction = '', letters = '', digits = ''] = match;
  if (text === '') throw new QuantityError(FORMAT_MESSAGE);
  const { numerator, exponent, format } = scaleOf(letters, digits);
  // As in the original no digits are zero: `Gi`.
  if (whole === '' && fraction === '') {
    if (exponent < -9 || BIGGEST_BINARY.has(letters)) throw new QuantityError(NUMERIC_MESSAGE);
    return { nanos: 0n, format };
  }
  // amount = unscaled * numerator * 10^power, in billionths
  const unscaled = BigInt(whole + fraction) * numerator;
  const exact = scale(unscaled, exponent - fraction.length + 9);
  const nanos = format === 'BinarySI' ? capped(exact) : exact;
  return {
    nanos: sign === '-' ? -nanos : nanos,
    format: format === 'BinarySI' && nanos > 0n && nanos < NANO ? 'DecimalSI' : format,
  };
}

function scaleOf(letters: string, digits: string): { numerator: bigint; exponent: number; format: QuantityFormat } {
  if (digits === '') {
    const exponent = DECIMAL_EXPONENTS[letters];
    if (exponent !== undefined) return { numerator: 1n, exponent, format: 'DecimalSI' };
    const shift = BINARY_SHIFTS[letters];
    if (shift !== undefined) return { numerator: 1n << BigInt(shift), exponent: 0, format: 'BinarySI' };
    throw new QuantityError(SUFFIX_MESSAGE);
  }
  const exponent = Number(digits);
  if ((letters !== 'e' && letters !== 'E') || !Number.isInteger(exponent)) throw new QuantityError(SUFFIX_MESSAGE);
  return { numerator: 1n, exponent, format: 'DecimalExponent' };
}

/** `value * 10^power`, rounded up. The power is bounded, for a text of a few bytes must not ask for a huge number. */
function scale(value: bigint, power: number): bigint {
  if (value === 0n) return 0n;
  if (power >= 0) return power > 40 ? MAX_NANOS : value * 10n ** BigInt(power);
  if (-power > MAX_LENGTH * 2) return 1n;
  return ceilDivide(value, 10n ** BigInt(-power));
}

const capped = (nanos: bigint): bigint => (nanos > MAX_NANOS ? MAX_NANOS : nanos);

/** Division that rounds towards positive infinity. */
function ceilDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor > 0n ? quotient + 1n : quotient;
}

export function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
}

/** The canonical text: no fraction, the largest suffix that leaves none. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0';
  const sign = nanos < 0n ? '-' : '';
  const amount = nanos < 0n ? -nanos : nanos;
  if (format === 'BinarySI' && amount >= 1024n * NANO && amount % NANO === 0n) return sign + binary(amount / NANO);
  return sign + decimal(amount, format === 'DecimalExponent');
}

function binary(units: bigint): string {
  let power = 0;
  while (units % 1024n === 0n && power < BINARY_SUFFIXES.length - 1) {
    units /= 1024n;
    power++;
  }
  return `${units}${BINARY_SUFFIXES[power] ?? ''}`;
}

function decimal(nanos: bigint, asExponent: boolean): string {
  let thousands = 0;
  while (nanos % 1000n === 0n && thousands < DECIMAL_SUFFIXES.length - 1) {
    nanos /= 1000n;
    thousands++;
  }
  const exponent = thousands * 3 - 9;
  if (!asExponent) return `${nanos}${DECIMAL_SUFFIXES[thousands] ?? ''}`;
  return exponent === 0 ? `${nanos}` : `${nanos}e${exponent}`;
}

/**
 * The text as the server writes it back: `1000m` becomes `1`, `0.5` becomes `500m`. Like the original it takes a text of
 * a few digits for canonical by its last ones alone, and keeps also `+1`, `5.` and `007Ki`.
 */
export function canonicalQuantity(text: string): string {
  const { count, end } = leadingCount(text);
  const plain = end > MAX_PLAIN_DIGITS || text.startsWith('0') ? undefined : PLAIN_UNITS.get(text.slice(end));
  const isCanonical = plain !== undefined && count % plain.next !== 0;
  if (isCanonical) return text;
  const read = parseQuantity(text);
  return looksCanonical(text, read.format) ? text : formatQuantity(read);
}

/** Digits that fit into an integer of 64 bits without a look at them. */
const MAX_KEPT_DIGITS = 18;
const MAX_KEPT_BINARY_DIGITS = 15;

function looksCanonical(text: string, format: QuantityFormat): boolean {
  const [, , whole = '', fraction = '', letters = '', digits = ''] = SHAPE.exec(text) ?? [];
  const integer = whole.replace(/^0+/, '') || '0';
  const shifted = integer + fraction;
  if (format === 'BinarySI') {
    const shift = BINARY_SHIFTS[letters] ?? 0;
    const room = MAX_KEPT_BINARY_DIGITS - integer.length - Math.trunc((shift * 3) / 10) - 1;
    return fraction === '' && room >= 0 && BigInt(integer) % 8n !== 0n;
  }
  const exponent = scaleOf(letters, digits).exponent - fraction.length;
  const isShort = shifted.length <= MAX_KEPT_DIGITS && exponent >= -9;
  return isShort && exponent % 3 === 0 && !shifted.endsWith('000') && !shifted.startsWith('0');
}

/** Negative, zero or positive, as for Array.sort. */
export function compareQuantities(a: string, b: string): number {
  if (a === b) return 0;
  const left = parseQuantity(a).nanos;
  const right = parseQuantity(b).nanos;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The sum, in the format of `a`; of `b` where `a` is zero. */
export function addQuantities(a: string, b: string): string {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  return formatQuantity({ nanos: left.nanos + right.nanos, format: left.nanos === 0n ? right.format : left.format });
}

/** In whole units, rounded up; exact below 2^53. Bytes of memory, counts of things. */
export function quantityValue(text: string): number {
  return fastValue(text, 1) ?? Number(ceilDivide(parseQuantity(text).nanos, NANO));
}

/** In thousandths, rounded up; exact below 2^53. CPU. */
export function quantityMilliValue(text: string): number {
  return fastValue(text, 1000) ?? Number(ceilDivide(parseQuantity(text).nanos, MILLI));
}

const FAST_FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  k: 1e3,
  M: 1e6,
  G: 1e9,
};

/** The common texts (digits and a plain suffix) without BigInt: a scheduler reads thousands of them a second. */
function fastValue(text: string, perUnit: number): number | undefined {
  const { count, end } = leadingCount(text);
  if (end === 0 || end > MAX_PLAIN_DIGITS) return undefined;
  const suffix = text.slice(end);
  if (suffix === 'm') return Math.ceil((count * perUnit) / 1000);
  const factor = FAST_FACTORS[suffix];
  const value = factor === undefined ? Infinity : count * factor * perUnit;
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

import { canonicalQuantity, QuantityError } from '../../shared/api/quantity.js';
import type { ScalarFormat } from './schema-type.js';

/** Why a value cannot be read into a field: the text of Go's decoder, without the field where `isTyped` says so. */
export class ScalarError extends Error {
  override readonly name = 'ScalarError';
  /** The text is `cannot unmarshal X`: the field and its type are still to be named. */
  readonly isTyped: boolean;

  constructor(message: string, isTyped: boolean) {
    super(message);
    this.isTyped = isTyped;
  }
}

/** What Go's decoder calls the JSON value in its errors. */
export function goValueName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'object' ? 'object' : typeof value;
}

/** Go type names of the scalars, as in decode errors. */
export const goTypeName: Readonly<Record<ScalarFormat, string>> = {
  string: 'string',
  bool: 'bool',
  int32: 'int32',
  int64: 'int64',
  float64: 'float64',
  quantity: 'resource.Quantity',
  'int-or-string': 'intstr.IntOrString',
  time: 'string',
  'micro-time': 'string',
  bytes: '[]uint8',
};

const mismatch = (value: unknown): ScalarError => new ScalarError(goValueName(value), true);

/**
 * Reads a JSON value into a scalar field and returns it in the form in which the server stores it.
 * @throws ScalarError
 */
export function readScalar(value: unknown, format: ScalarFormat): unknown {
  switch (format) {
    case 'string':
      if (typeof value === 'string') return value;
      throw mismatch(value);
    case 'bool':
      if (typeof value === 'boolean') return value;
      throw mismatch(value);
    case 'int32':
      return readInteger(value, -2147483648, 2147483647);
    case 'int64':
      // Larger ones have already lost digits: refused rather than changed.
      return readInteger(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    case 'float64':
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      throw typeof value === 'number' ? new ScalarError(`number ${value}`, true) : mismatch(value);
    case 'quantity':
      return readQuantity(value);
    case 'int-or-string':
      if (typeof value === 'string') return value;
      return readUntyped(() => readInteger(value, -2147483648, 2147483647), 'int32');
    case 'time':
    case 'micro-time':
      return readTime(value, format === 'micro-time');
    case 'bytes':
      return readBytes(value);
  }
}

function readInteger(value: unknown, minimum: number, maximum: number): number {
  if (typeof value !== 'number') throw mismatch(value);
  if (!Number.isInteger(value) || value < minimum || value > maximum) throw new ScalarError(`number ${value}`, true);
  return value;
}

/** Types with a decoder of their own do not know the field they fill. */
function readUntyped<T>(read: () => T, goType: string): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ScalarError)) throw error;
    throw new ScalarError(`json: cannot unmarshal ${error.message} into Go value of type ${goType}`, false);
  }
}

function readQuantity(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : value;
  try {
    return canonicalQuantity(typeof text === 'string' ? text.trim() : JSON.stringify(text));
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    throw new ScalarError(error.message, false);
  }
}

const rfc3339 = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:[.,](\d{1,30}))?(Z|[+-]\d\d:\d\d)$/;
const layouts = { seconds: '2006-01-02T15:04:05Z07:00', micro: '2006-01-02T15:04:05.000000Z07:00' };

function readTime(value: unknown, isMicro: boolean): string {
  if (typeof value !== 'string') {
    throw new ScalarError(`json: cannot unmarshal ${goValueName(value)} into Go value of type string`, false);
  }
  const match = rfc3339.exec(value);
  const [, day = '', clock = '', fraction = '', zone = ''] = match ?? [];
  const atMs = match ? Date.parse(`${day}T${clock}${zone}`) : NaN;
  if (Number.isNaN(atMs) || (isMicro && fraction.length < 6)) {
    const layout = isMicro ? layouts.micro : layouts.seconds;
    throw new ScalarError(`parsing time ${JSON.stringify(value)} as "${layout}": ${timeFault(value, match)}`, false);
  }
  const seconds = zone === 'Z' ? `${day}T${clock}` : new Date(atMs).toISOString().slice(0, 19);
  return isMicro ? `${seconds}.${fraction.slice(0, 6)}Z` : `${seconds}Z`;
}

function timeFault(value: string, match: RegExpExecArray | null): string {
  if (match) return 'value out of range or of another precision';
  const part = /^\d{4}/.test(value) ? ['-01-02T15:04:05Z07:00', value.slice(4)] : ['2006', value];
  return `cannot parse ${JSON.stringify(part[1])} as ${JSON.stringify(part[0])}`;
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function readBytes(value: unknown): string {
  if (typeof value !== 'string') throw mismatch(value);
  if (base64.test(value)) return value;
  const plain = value.replace(/[\r\n]/g, '');
  if (base64.test(plain)) return plain;
  const at = /[^A-Za-z0-9+/]/.exec(plain)?.index ?? plain.length;
  throw new ScalarError(`illegal base64 data at input byte ${at}`, false);
}

import { isQuantity, parseQuantity, QuantityError, type Quantity } from '../../../shared/api/quantity.js';
import { CelError } from '../errors.js';
import { constant, define, type Overload } from '../functions.js';
import { CelOpaque, type CelValue } from '../values.js';

const nano = 1_000_000_000n;

class CelQuantity extends CelOpaque {
  readonly typeName = 'kubernetes.Quantity';
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }

  equals(other: CelValue): boolean {
    return other instanceof CelQuantity && other.quantity.nanos === this.quantity.nanos;
  }
}

function parse(text: string): CelQuantity {
  try {
    return new CelQuantity(parseQuantity(text));
  } catch (error) {
    if (error instanceof QuantityError) throw new CelError(error.message);
    throw error;
  }
}

const order = (a: CelQuantity, b: CelQuantity): bigint =>
  a.quantity.nanos < b.quantity.nanos ? -1n : a.quantity.nanos > b.quantity.nanos ? 1n : 0n;
const combined = (a: CelQuantity, nanos: bigint): CelQuantity => new CelQuantity({ nanos, format: a.quantity.format });
const isInteger = ({ quantity }: CelQuantity): boolean =>
  quantity.nanos % nano === 0n && quantity.nanos / nano < 2n ** 63n - 1n && quantity.nanos / nano >= -(2n ** 63n);

function asInteger(value: CelQuantity): bigint {
  if (!isInteger(value)) throw new CelError('cannot convert value to integer');
  return value.quantity.nanos / nano;
}

export const quantityFunctions: readonly Overload[] = [
  define('quantity(string) -> quantity', parse),
  define('isQuantity(string) -> bool', (text: string) => isQuantity(text)),
  define('sign(quantity) -> int', ({ quantity }: CelQuantity) =>
    quantity.nanos > 0n ? 1n : quantity.nanos < 0n ? -1n : 0n,
  ),
  define('quantity.isGreaterThan(quantity) -> bool', (a: CelQuantity, b: CelQuantity) => order(a, b) > 0n, constant),
  define('quantity.isLessThan(quantity) -> bool', (a: CelQuantity, b: CelQuantity) => order(a, b) < 0n, constant),
  define('quantity.compareTo(quantity) -> int', order, constant),
  define(
    'quantity.asApproximateFloat() -> double',
    ({ quantity }: CelQuantity) => Number(quantity.nanos) / 1e9,
    constant,
  ),
  define('quantity.asInteger() -> int', asInteger, constant),
  define('quantity.isInteger() -> bool', isInteger, constant),
  define('quantity.add(quantity) -> quantity', (a: CelQuantity, b: CelQuantity) =>
    combined(a, a.quantity.nanos + b.quantity.nanos),
  ),
  define('quantity.add(int) -> quantity', (a: CelQuantity, b: bigint) => combined(a, a.quantity.nanos + b * nano)),
  define('quantity.sub(quantity) -> quantity', (a: CelQuantity, b: CelQuantity) =>
    combined(a, a.quantity.nanos - b.quantity.nanos),
  ),
  define('quantity.sub(int) -> quantity', (a: CelQuantity, b: bigint) => combined(a, a.quantity.nanos - b * nano)),
];

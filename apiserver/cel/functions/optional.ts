import { CelError } from '../errors.js';
import { constant, define, type Overload } from '../functions.js';
import {
  CelDuration,
  CelList,
  CelMap,
  CelOptional,
  CelTimestamp,
  CelUint,
  noneValue,
  ValueList,
  type CelValue,
} from '../values.js';

/** What Go calls the zero value of a type. */
function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === '' || value === 0n || value === 0) return true;
  if (value instanceof CelUint) return value.value === 0n;
  if (value instanceof CelList || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelDuration) return value.nanos === 0n;
  if (value instanceof CelTimestamp) return false;
  return value instanceof CelMap && value.size === 0;
}

function valueOf({ value }: CelOptional): CelValue {
  if (value === undefined) throw new CelError('optional.none() dereference');
  return value;
}

/** The element or value, where there is one: an optional is looked into. */
export function lookUp(container: CelValue, key: CelValue): CelOptional {
  if (container instanceof CelOptional) return container.value === undefined ? noneValue : lookUp(container.value, key);
  let found: CelValue | undefined;
  if (container instanceof CelList) {
    const index = key instanceof CelUint ? Number(key.value) : typeof key === 'bigint' ? Number(key) : key;
    found = typeof index === 'number' ? container.at(index) : undefined;
  } else if (container instanceof CelMap) found = container.get(key);
  else throw new CelError('no such overload: _[?_]');
  return found === undefined ? noneValue : new CelOptional(found);
}

export const optionalFunctions: readonly Overload[] = [
  define('::optional.of(T) -> optional<T>', (value: CelValue) => new CelOptional(value), constant),
  define('::optional.none() -> optional<T>', () => noneValue, constant),
  define(
    '::optional.ofNonZeroValue(T) -> optional<T>',
    (value: CelValue) => (isZero(value) ? noneValue : new CelOptional(value)),
    constant,
  ),
  define('optional<T>.value() -> T', valueOf, constant),
  define('optional<T>.hasValue() -> bool', ({ value }: CelOptional) => value !== undefined, constant),
  define('list<T>.first() -> optional<T>', (list: CelList) => lookUp(list, 0n), constant),
  define('list<T>.last() -> optional<T>', (list: CelList) => lookUp(list, BigInt(list.length) - 1n), constant),
  define('::optional.unwrap(list<optional<T>>) -> list<T>', unwrap),
  define('list<optional<T>>.unwrapOpt() -> list<T>', unwrap),
];

function unwrap(list: CelList): CelList {
  const values: CelValue[] = [];
  for (const item of list) if (item instanceof CelOptional && item.value !== undefined) values.push(item.value);
  return new ValueList(values);
}

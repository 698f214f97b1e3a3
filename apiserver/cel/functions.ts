import { CelError } from './errors.js';
import { parseSignature, type Signature } from './signature.js';
import type { CelType } from './types.js';
import {
  CelDuration,
  CelList,
  CelMap,
  CelOpaque,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  sizeOf,
  typeNameOf,
  type CelValue,
} from './values.js';

/** What a call costs before it is made, from its arguments. */
export type Cost = (args: readonly CelValue[]) => number;

/** One form of a function: its types, and what it does with arguments of these types. */
export interface Overload extends Signature {
  readonly call: (args: readonly CelValue[]) => CelValue;
  readonly cost: Cost;
}

type Implementation = (...args: never[]) => CelValue;

/** Reading every argument once: a tenth of a unit a character, one an item. */
export const traversal: Cost = (args) => {
  let units = 1;
  for (const arg of args) {
    if (typeof arg === 'string' || arg instanceof Uint8Array) units += arg.length / 10;
    else if (arg instanceof CelList) units += arg.length;
  }
  return units;
};
export const constant: Cost = () => 1;
/** Comparing every item of one list with every item of another. */
export const crossProduct: Cost = (args) => 1 + sizeOf(args[0]) * sizeOf(args[1]);

/** Declares one form of a function; the implementation is given only arguments of the types that the signature names. */
export function define(signature: string, implementation: Implementation, cost: Cost = traversal): Overload {
  const call = implementation as (...args: readonly CelValue[]) => CelValue;
  return { ...parseSignature(signature), call: (args) => call(...args), cost };
}

/** All functions of an environment, by name. */
export class FunctionTable {
  readonly #overloads = new Map<string, Overload[]>();

  constructor(libraries: readonly (readonly Overload[])[]) {
    for (const overload of libraries.flat()) {
      const known = this.#overloads.get(overload.name);
      if (known) known.push(overload);
      else this.#overloads.set(overload.name, [overload]);
    }
  }

  has(name: string): boolean {
    return this.#overloads.has(name);
  }

  /** Whether there is a form without a target. */
  hasGlobal(name: string): boolean {
    return this.#overloads.get(name)?.some((overload) => !overload.isMember) === true;
  }

  /** Forms with this number of arguments, the target included. */
  find(name: string, isMember: boolean, count: number): readonly Overload[] {
    const all = this.#overloads.get(name) ?? [];
    return all.filter((overload) => overload.isMember === isMember && overload.parameters.length === count);
  }
}

const isLeftToOperand = /^(_|!_|-_|@in|startsWith$|endsWith$|contains$|matches$)/;

/** Picks the form that fits the values. */
export function dispatch(name: string, overloads: readonly Overload[], args: readonly CelValue[]): Overload {
  for (const overload of overloads) if (fits(overload, args)) return overload;
  // Operators, and what texts do, leave it to their first operand.
  if (name === '_[_]' && args[0] instanceof CelList)
    throw new CelError(`unsupported index type '${typeNameOf(args[1] ?? null)}' in list`);
  if (isLeftToOperand.test(name)) throw new CelError('no such overload');
  const types = args.map((arg) => typeNameOf(arg));
  throw new CelError(`no such overload: ${name}(${types.join(', ')})`);
}

function fits({ parameters }: Overload, args: readonly CelValue[]): boolean {
  for (let i = 0; i < parameters.length; i++) {
    const parameter = parameters[i];
    const arg = args[i];
    if (parameter === undefined || arg === undefined || !isOfType(arg, parameter)) return false;
  }
  return true;
}

function isOfType(value: CelValue, type: CelType): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'parameter':
      return true;
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return typeof value === 'bigint';
    case 'uint':
      return value instanceof CelUint;
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'bytes':
      return value instanceof Uint8Array;
    case 'null':
      return value === null;
    case 'timestamp':
      return value instanceof CelTimestamp;
    case 'duration':
      return value instanceof CelDuration;
    case 'type':
      return value instanceof CelTypeValue;
    case 'list':
      return value instanceof CelList;
    case 'map':
    case 'object':
      return value instanceof CelMap;
    case 'opaque':
      return value instanceof CelOpaque && value.typeName === type.name;
  }
}

import type {
  Binding,
  Call,
  Comprehension,
  Expression,
  ListLiteral,
  MapLiteral,
  Select,
  StructLiteral,
} from './ast.js';
import { isTypeName, type Checked } from './checker.js';
import { Budget } from './budget.js';
import { CelBudgetError, CelError } from './errors.js';
import { dispatch, type Overload } from './functions.js';
import { compare } from './functions/standard.js';
import { checkConstantRegex, foldConstant, isConstantConversion } from './literal-checks.js';
import { lookUp } from './functions/optional.js';
import {
  CelList,
  CelMap,
  CelOptional,
  CelTypeValue,
  describeKey,
  equalValues,
  isInt64,
  noneValue,
  StructValue,
  typeNameOf,
  ValueList,
  ValueMap,
  type CelValue,
} from './values.js';

/** What a run of an expression has: its variables by slot, and what it may still cost. */
export interface Frame {
  readonly slots: (CelValue | undefined)[];
  readonly variables: (name: string) => CelValue;
  readonly budget: Budget;
}

/** A compiled expression. */
export type Evaluate = (frame: Frame) => CelValue;

/** Prices of what is made, as in the original. */
const listCost = 10;
const mapCost = 30;
const structCost = 40;

/** Turns a checked expression into functions that call each other: nothing is looked up by name while they run. */
export function compileExpression(expression: Expression, checked: Checked): { evaluate: Evaluate; slotCount: number } {
  const compiler = new Compiler(checked);
  return { evaluate: compiler.compile(expression), slotCount: compiler.slotCount };
}

class Compiler {
  readonly #checked: Checked;
  readonly #scopes: Map<string, number>[] = [];
  /** Variables of the environment, by the slot that keeps them once they were read. */
  readonly #globals = new Map<string, number>();
  slotCount = 0;

  constructor(checked: Checked) {
    this.#checked = checked;
  }

  compile(expression: Expression): Evaluate {
    switch (expression.kind) {
      case 'literal': {
        const { value } = expression;
        return () => value;
      }
      case 'identifier':
        return this.#identifier(expression.name);
      case 'select':
        return this.#select(expression);
      case 'call':
        return this.#call(expression);
      case 'list':
        return this.#list(expression);
      case 'map':
        return this.#map(expression);
      case 'struct':
        return this.#struct(expression);
      case 'comprehension':
        return this.#comprehension(expression);
      case 'binding':
        return this.#binding(expression);
    }
  }

  #identifier(name: string): Evaluate {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const slot = this.#scopes[i]?.get(name);
      if (slot !== undefined) return readSlot(slot);
    }
    if (isTypeName(name)) {
      const value = new CelTypeValue(name);
      return () => value;
    }
    return this.#global(name);
  }

  #global(name: string): Evaluate {
    const slot = this.#globals.get(name) ?? this.slotCount++;
    this.#globals.set(name, slot);
    return ({ slots, variables, budget }) => {
      budget.spend(1);
      return (slots[slot] ??= variables(name));
    };
  }

  #select(expression: Select): Evaluate {
    const dotted = this.#checked.dotted.get(expression);
    if (dotted !== undefined) return this.#identifier(dotted);
    const operand = this.compile(expression.operand);
    const { field, isTest, isOptional } = expression;
    if (isTest) return hasField(operand, field);
    return (frame) => {
      const container = operand(frame);
      frame.budget.spend(1);
      if (isOptional || container instanceof CelOptional) return flat(lookUp(container, field));
      if (!(container instanceof CelMap)) throw new CelError(`no such key: ${field}`);
      const value = container.get(field);
      if (value === undefined) throw new CelError(`no such key: ${field}`);
      return value;
    };
  }

  #call(expression: Call): Evaluate {
    const { function: name, target, arguments: list } = expression;
    const resolved = this.#checked.calls.get(expression);
    if (resolved) {
      checkConstantRegex(expression);
      const evaluate = callOf(
        name,
        resolved.overloads,
        resolved.operands.map((operand) => this.compile(operand)),
      );
      if (!isConstantConversion(expression)) return evaluate;
      const value = foldConstant(() => evaluate(constantFrame));
      return () => value;
    }
    const [first = fallback, second = fallback, third = fallback] = list.map((argument) => this.compile(argument));
    switch (name) {
      case '_&&_':
        return shortCircuit(first, second, false);
      case '_||_':
        return shortCircuit(first, second, true);
      case '_?_:_':
        return (frame) => {
          frame.budget.spend(1);
          return asBool(first(frame)) ? second(frame) : third(frame);
        };
      case '_==_':
      case '_!=_': {
        const isEqual = name === '_==_';
        return (frame) => {
          const [a, b] = [first(frame), second(frame)];
          return equalValues(a, b, (units) => frame.budget.spend(units)) === isEqual;
        };
      }
      case '_[?_]':
      case '_[_]':
        return (frame) => {
          frame.budget.spend(1);
          return flat(lookUp(first(frame), second(frame)));
        };
      default:
        return this.#or(name, target, first);
    }
  }

  #or(name: string, target: Expression | undefined, other: Evaluate): Evaluate {
    const optional = target ? this.compile(target) : fallback;
    return (frame) => {
      frame.budget.spend(1);
      const value = optional(frame);
      if (!(value instanceof CelOptional)) throw new CelError(`no such overload: ${name}(${typeNameOf(value)})`);
      if (value.value === undefined) return other(frame);
      return name === 'or' ? value : value.value;
    };
  }

  #list(expression: ListLiteral): Evaluate {
    const elements = expression.elements.map(({ value, isOptional }) => ({ value: this.compile(value), isOptional }));
    return (frame) => {
      frame.budget.spend(listCost);
      const items: CelValue[] = [];
      for (const { value, isOptional } of elements) {
        const item = isOptional ? present(value(frame)) : value(frame);
        if (item !== undefined) items.push(item);
      }
      return new ValueList(items);
    };
  }

  #map(expression: MapLiteral): Evaluate {
    const entries = expression.entries.map((entry) => ({
      key: this.compile(entry.key),
      value: this.compile(entry.value),
      isOptional: entry.isOptional,
    }));
    return (frame) => {
      frame.budget.spend(mapCost);
      const made: (readonly [CelValue, CelValue])[] = [];
      for (const { key, value, isOptional } of entries) {
        const name = key(frame);
        const item = isOptional ? present(value(frame)) : value(frame);
        if (item !== undefined) made.push([name, item]);
      }
      return new ValueMap(made);
    };
  }

  #struct({ typeName, fields }: StructLiteral): Evaluate {
    const parts = fields.map(({ name, value, isOptional }) => ({ name, value: this.compile(value), isOptional }));
    return (frame) => {
      frame.budget.spend(structCost);
      const made = new Map<string, CelValue>();
      for (const { name, value, isOptional } of parts) {
        const item = isOptional ? present(value(frame)) : value(frame);
        if (item !== undefined) made.set(name, item);
      }
      return new StructValue(typeName, made);
    };
  }

  #comprehension(expression: Comprehension): Evaluate {
    const range = this.compile(expression.range);
    const slots = expression.variables.map(() => this.slotCount++);
    this.#scopes.push(new Map(expression.variables.map((name, index) => [name, slots[index] ?? 0])));
    const filter = expression.filter && this.compile(expression.filter);
    const body = this.compile(expression.body);
    this.#scopes.pop();
    const [first = 0, second] = slots;
    const fold = folds[expression.macro];
    const keeps = filter ? (frame: Frame): boolean => asBool(filter(frame)) : undefined;
    return (frame) => fold(steps(range(frame), frame, first, second), frame, body, keeps);
  }

  #binding({ macro, variable, value, body }: Binding): Evaluate {
    const given = this.compile(value);
    const slot = this.slotCount++;
    this.#scopes.push(new Map([[variable, slot]]));
    const inner = this.compile(body);
    this.#scopes.pop();
    return (frame) => {
      frame.budget.spend(1);
      const bound = given(frame);
      if (macro === 'bind') {
        frame.slots[slot] = bound;
        return inner(frame);
      }
      if (!(bound instanceof CelOptional)) throw new CelError(`no such overload: ${macro}(${typeNameOf(bound)})`);
      if (bound.value === undefined) return noneValue;
      frame.slots[slot] = bound.value;
      const result = inner(frame);
      return macro === 'optMap' ? new CelOptional(result) : result;
    };
  }
}

const fallback: Evaluate = () => null;

/** For what needs no variables, and is small. */
const constantFrame: Frame = {
  slots: [],
  variables: () => null,
  get budget(): Budget {
    return new Budget(1_000_000);
  },
};

const readSlot =
  (slot: number): Evaluate =>
  ({ slots, budget }) => {
    budget.spend(1);
    return slots[slot] ?? null;
  };

function hasField(operand: Evaluate, field: string): Evaluate {
  return (frame) => {
    frame.budget.spend(1);
    const container = operand(frame);
    const inner = container instanceof CelOptional ? container.value : container;
    if (inner === undefined) return false;
    if (inner instanceof CelList) throw new CelError(`unsupported index type 'string' in list`);
    // Nothing else has fields.
    if (!(inner instanceof CelMap)) return false;
    return inner.get(field) !== undefined;
  };
}

/** An optional in an optional is one. */
const flat = (found: CelOptional): CelOptional => (found.value instanceof CelOptional ? found.value : found);

const present = (value: CelValue): CelValue | undefined => {
  if (!(value instanceof CelOptional)) throw new CelError(`no such overload: optional entry of ${typeNameOf(value)}`);
  return value.value;
};

function asBool(value: CelValue): boolean {
  if (typeof value !== 'boolean') throw new CelError('no such overload');
  return value;
}

/** Integers are what most operators are given: their usual case needs no table. */
const ofIntegers: Readonly<Record<string, (a: bigint, b: bigint) => CelValue | undefined>> = {
  '_+_': (a, b) => inRange(a + b),
  '_-_': (a, b) => inRange(a - b),
  '_*_': (a, b) => inRange(a * b),
  '_<_': (a, b) => a < b,
  '_<=_': (a, b) => a <= b,
  '_>_': (a, b) => a > b,
  '_>=_': (a, b) => a >= b,
};
const inRange = (value: bigint): bigint | undefined => (isInt64(value) ? value : undefined);

function callOf(name: string, overloads: readonly Overload[], operands: readonly Evaluate[]): Evaluate {
  const general = generalCallOf(name, overloads);
  const quick = Object.hasOwn(ofIntegers, name) ? ofIntegers[name] : undefined;
  const [left, right] = operands;
  if (!quick || !left || !right)
    return (frame) =>
      general(
        operands.map((operand) => operand(frame)),
        frame,
      );
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    const result = typeof a === 'bigint' && typeof b === 'bigint' ? quick(a, b) : undefined;
    if (result === undefined) return general([a, b], frame);
    frame.budget.spend(1);
    return result;
  };
}

function generalCallOf(
  name: string,
  overloads: readonly Overload[],
): (args: readonly CelValue[], frame: Frame) => CelValue {
  return (args, frame) => {
    // Values of dynamic origin may be of any type whatever the checker was told.
    const overload = dispatch(name, overloads, args);
    frame.budget.spend(overload.cost(args));
    const result = overload.call(args);
    if (typeof result === 'string') frame.budget.spend(result.length / 10);
    return result;
  };
}

/** `&&` and `||` take either side's decision, whatever goes wrong on the other side. */
function shortCircuit(left: Evaluate, right: Evaluate, decisive: boolean): Evaluate {
  return (frame) => {
    frame.budget.spend(1);
    let failure: CelError;
    try {
      if (asBool(left(frame)) === decisive) return decisive;
      return asBool(right(frame));
    } catch (error) {
      if (!(error instanceof CelError) || error instanceof CelBudgetError) throw error;
      failure = error;
    }
    // Which side failed does not matter: the right one is asked (again) for a decision.
    if (attempt(right, frame) === decisive) return decisive;
    throw failure;
  };
}

function attempt(evaluate: Evaluate, frame: Frame): CelValue | undefined {
  try {
    return evaluate(frame);
  } catch (error) {
    if (!(error instanceof CelError) || error instanceof CelBudgetError) throw error;
    return undefined;
  }
}

/** Sets the variables of a comprehension to one item after the other; yields the key. */
function* steps(range: CelValue, frame: Frame, first: number, second: number | undefined): Generator<CelValue> {
  const { slots, budget } = frame;
  if (range instanceof CelList) {
    for (let i = 0; i < range.length; i++) {
      const item = range.at(i) ?? null;
      budget.spend(1);
      slots[first] = second === undefined ? item : BigInt(i);
      if (second !== undefined) slots[second] = item;
      yield second === undefined ? item : BigInt(i);
    }
    return;
  }
  if (!(range instanceof CelMap)) throw new CelError(`got '${goTypeOf(range)}', expected iterable type`);
  for (const key of range.keys()) {
    budget.spend(1);
    slots[first] = key;
    if (second !== undefined) slots[second] = range.get(key) ?? null;
    yield key;
  }
}

/** As Go names the type of a value. */
function goTypeOf(value: CelValue): string {
  const name = typeNameOf(value);
  return name.includes('.') ? name : `types.${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

type Keeps = ((frame: Frame) => boolean) | undefined;
type Fold = (keys: Iterable<CelValue>, frame: Frame, body: Evaluate, keeps: Keeps) => CelValue;

/** all and exists look for the one item that decides; an error counts only when no item does. */
const search =
  (decisive: boolean): Fold =>
  (keys, frame, body) => {
    let failure: CelError | undefined;
    for (const _ of keys) {
      try {
        if (asBool(body(frame)) === decisive) return decisive;
      } catch (error) {
        if (!(error instanceof CelError) || error instanceof CelBudgetError) throw error;
        failure ??= error;
      }
    }
    if (failure) throw failure;
    return !decisive;
  };

const collect: Fold = (keys, frame, body, keeps) => {
  const items: CelValue[] = [];
  frame.budget.spend(listCost);
  for (const _ of keys) if (!keeps || keeps(frame)) items.push(body(frame));
  return new ValueList(items);
};

const folds: Readonly<Record<Comprehension['macro'], Fold>> = {
  all: search(false),
  exists: search(true),
  exists_one: (keys, frame, body) => {
    let count = 0;
    for (const _ of keys) if (asBool(body(frame))) count += 1;
    return count === 1;
  },
  filter: (keys, frame, body) => {
    const items: CelValue[] = [];
    frame.budget.spend(listCost);
    for (const key of keys) if (asBool(body(frame))) items.push(key);
    return new ValueList(items);
  },
  map: collect,
  transformList: collect,
  transformMap: (keys, frame, body, keeps) => {
    const entries: (readonly [CelValue, CelValue])[] = [];
    frame.budget.spend(mapCost);
    for (const key of keys) if (!keeps || keeps(frame)) entries.push([key, body(frame)]);
    return new ValueMap(entries);
  },
  transformMapEntry: (keys, frame, body, keeps) => {
    const entries: (readonly [CelValue, CelValue])[] = [];
    frame.budget.spend(mapCost);
    for (const _ of keys) if (!keeps || keeps(frame)) entries.push(...entriesOf(body(frame)));
    const made = new ValueMap(entries);
    const twice = made.size < entries.length ? firstTwice(entries) : undefined;
    if (twice !== undefined) throw new CelError(`insert failed: key ${describeKey(twice)} already exists`);
    return made;
  },
  sortBy: (keys, frame, body) => {
    const items: { readonly item: CelValue; readonly by: CelValue }[] = [];
    frame.budget.spend(listCost);
    for (const item of keys) items.push({ item, by: body(frame) });
    frame.budget.spend(items.length * Math.ceil(Math.log2(items.length + 1)));
    return new ValueList(items.sort((a, b) => compare(a.by, b.by)).map(({ item }) => item));
  },
};

function firstTwice(entries: readonly (readonly [CelValue, CelValue])[]): CelValue | undefined {
  return entries.find(([key], index) => entries.slice(0, index).some(([other]) => equalValues(key, other)))?.[0];
}

function entriesOf(value: CelValue): (readonly [CelValue, CelValue])[] {
  if (!(value instanceof CelMap)) throw new CelError(`unsupported result of transformMapEntry: ${typeNameOf(value)}`);
  return value.keys().map((key) => [key, value.get(key) ?? null] as const);
}

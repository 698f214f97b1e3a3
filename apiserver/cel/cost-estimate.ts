import type { Expression } from './ast.js';
import type { Checked } from './checker.js';
import type { CelType } from './types.js';

/** The most that one request can carry, which bounds whatever no schema bounds. */
const maxRequestBytes = 3 * 1024 * 1024;

/** Costs beyond this are all the same: too much. */
const maxCost = Number.MAX_SAFE_INTEGER;

/** What is known of the value of an expression besides its type. */
interface Estimate {
  readonly cost: number;
  /** Items, entries, characters at most. */
  readonly size: number;
}

/** The most that a run of the expression costs, by the sizes in the types of the variables. */
export function estimateCost(
  expression: Expression,
  checked: Checked,
  variables: ReadonlyMap<string, CelType>,
): number {
  return Math.min(maxCost, Math.ceil(new Estimator(checked, variables).estimate(expression).cost));
}

/** The most items or characters that a value of a type can have in one request. */
export function sizeBound(type: CelType): number {
  if ('maxSize' in type && type.maxSize !== undefined) return type.maxSize;
  switch (type.kind) {
    case 'list':
      // Each item and a comma.
      return Math.floor(maxRequestBytes / (smallestText(type.items) + 1));
    case 'map':
      return Math.floor(maxRequestBytes / (smallestText(type.values) + 5));
    case 'string':
    case 'bytes':
    case 'dyn':
    case 'parameter':
      return maxRequestBytes;
    default:
      return 1;
  }
}

/** The shortest JSON of a value of a type. */
function smallestText(type: CelType): number {
  switch (type.kind) {
    case 'bool':
      return 4;
    case 'int':
    case 'uint':
    case 'double':
      return 1;
    default:
      return 2;
  }
}

class Estimator {
  readonly #checked: Checked;
  readonly #variables: ReadonlyMap<string, CelType>;
  readonly #scopes: Map<string, number>[] = [];

  constructor(checked: Checked, variables: ReadonlyMap<string, CelType>) {
    this.#checked = checked;
    this.#variables = variables;
  }

  estimate(expression: Expression): Estimate {
    switch (expression.kind) {
      case 'literal': {
        const { value } = expression;
        return { cost: 0, size: typeof value === 'string' || value instanceof Uint8Array ? value.length : 1 };
      }
      case 'identifier':
        return { cost: 1, size: this.#sizeOfVariable(expression.name, expression) };
      case 'select': {
        const operand = this.estimate(expression.operand);
        return { cost: operand.cost + 1, size: this.#sizeByType(expression) };
      }
      case 'call':
        return this.#call(expression);
      case 'list': {
        const parts = expression.elements.map(({ value }) => this.estimate(value));
        return { cost: sum(parts) + 10, size: parts.length };
      }
      case 'map': {
        const parts = expression.entries.flatMap(({ key, value }) => [this.estimate(key), this.estimate(value)]);
        return { cost: sum(parts) + 30, size: expression.entries.length };
      }
      case 'struct':
        return { cost: sum(expression.fields.map(({ value }) => this.estimate(value))) + 40, size: 1 };
      case 'comprehension':
        return this.#comprehension(expression);
      case 'binding': {
        const value = this.estimate(expression.value);
        this.#scopes.push(new Map([[expression.variable, value.size]]));
        const body = this.estimate(expression.body);
        this.#scopes.pop();
        return { cost: value.cost + body.cost + 1, size: body.size };
      }
    }
  }

  #comprehension(expression: Expression & { kind: 'comprehension' }): Estimate {
    const range = this.estimate(expression.range);
    this.#scopes.push(new Map());
    const filter = expression.filter ? this.estimate(expression.filter).cost : 0;
    const body = this.estimate(expression.body);
    this.#scopes.pop();
    return { cost: range.cost + range.size * (1 + filter + body.cost), size: range.size };
  }

  #call(expression: Expression & { kind: 'call' }): Estimate {
    const { function: name } = expression;
    const given = this.#checked.calls.get(expression)?.operands ?? [
      ...(expression.target ? [expression.target] : []),
      ...expression.arguments,
    ];
    const parts = given.map((operand) => this.estimate(operand));
    const [first = 0, second = 0] = parts.map(({ size }) => size);
    const types = given.map((operand) => this.#checked.types.get(operand)?.kind ?? 'dyn');
    const below = sum(parts);
    switch (name) {
      case '_?_:_':
        return {
          cost: 1 + (parts[0]?.cost ?? 0) + Math.max(parts[1]?.cost ?? 0, parts[2]?.cost ?? 0),
          size: Math.max(second, parts[2]?.size ?? 0),
        };
      case '_==_':
      case '_!=_':
        return { cost: below + 1 + comparison(types, Math.min(first, second)), size: 1 };
      case '_+_':
        return { cost: below + 1 + traversalOf(types, parts), size: first + second };
      case 'matches':
      case 'find':
      case 'findAll':
        return { cost: below + 1 + (first / 10) * Math.max(1, second / 4), size: first };
      case 'contains':
        return { cost: below + 1 + (first / 10) * Math.max(1, second / 10), size: 1 };
      case 'replace':
        return { cost: below + 1 + first / 10, size: first * Math.max(1, parts[2]?.size ?? 1) };
      case '@in':
        return { cost: below + (types[1] === 'map' ? 1 : second), size: 1 };
      case 'size':
        return { cost: below + 1, size: 1 };
      default: {
        const isCross = /^(sets\.|distinct$|sort$|flatten$)/.test(expressionName(expression));
        const extra = isCross ? first * Math.max(second, 1) : traversalOf(types, parts);
        return { cost: below + 1 + extra, size: this.#resultSize(expression, parts) };
      }
    }
  }

  /** Texts and lists that a function makes are about as long as what it was given. */
  #resultSize(expression: Expression, parts: readonly Estimate[]): number {
    const kind = this.#checked.types.get(expression)?.kind;
    if (kind === 'string' || kind === 'bytes' || kind === 'list' || kind === 'map') {
      return Math.max(1, ...parts.map(({ size }) => size));
    }
    return kind === 'dyn' ? maxRequestBytes : 1;
  }

  #sizeOfVariable(name: string, expression: Expression): number {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const size = this.#scopes[i]?.get(name);
      if (size !== undefined) return size;
    }
    const type = this.#variables.get(name);
    return type && this.#checked.types.get(expression) === type ? sizeBound(type) : this.#sizeByType(expression);
  }

  #sizeByType(expression: Expression): number {
    const type = this.#checked.types.get(expression);
    return type ? sizeBound(type) : maxRequestBytes;
  }
}

const sum = (parts: readonly Estimate[]): number => parts.reduce((total, { cost }) => total + cost, 0);

const comparison = (types: readonly string[], size: number): number =>
  types.every((type) => type === 'string' || type === 'bytes')
    ? size / 10
    : types.some((type) => type === 'list' || type === 'map')
      ? size
      : 0;

function traversalOf(types: readonly string[], parts: readonly Estimate[]): number {
  return parts.reduce((total, { size }, index) => {
    const type = types[index];
    return total + (type === 'string' || type === 'bytes' ? size / 10 : type === 'list' ? size : 0);
  }, 0);
}

function expressionName(expression: Expression & { kind: 'call' }): string {
  const { target } = expression;
  return target?.kind === 'identifier' ? `${target.name}.${expression.function}` : expression.function;
}

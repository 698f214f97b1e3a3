import type { CelValue } from './values.js';

/** A parsed expression. `offset` is the place in the text that errors point at. */
export type Expression =
  Literal | Identifier | Select | Call | ListLiteral | MapLiteral | StructLiteral | Comprehension | Binding;

interface Node {
  readonly offset: number;
}

export interface Literal extends Node {
  readonly kind: 'literal';
  readonly value: CelValue;
}

export interface Identifier extends Node {
  readonly kind: 'identifier';
  readonly name: string;
}

export interface Select extends Node {
  readonly kind: 'select';
  readonly operand: Expression;
  readonly field: string;
  /** `has(a.b)`. */
  readonly isTest: boolean;
  /** `a.?b`. */
  readonly isOptional: boolean;
}

/** Operators are calls of functions such as `_+_`. */
export interface Call extends Node {
  readonly kind: 'call';
  readonly function: string;
  readonly target: Expression | undefined;
  readonly arguments: readonly Expression[];
}

export interface ListLiteral extends Node {
  readonly kind: 'list';
  readonly elements: readonly { readonly value: Expression; readonly isOptional: boolean }[];
}

export interface MapLiteral extends Node {
  readonly kind: 'map';
  readonly entries: readonly { readonly key: Expression; readonly value: Expression; readonly isOptional: boolean }[];
}

/** `Object.spec{replicas: 1}`. */
export interface StructLiteral extends Node {
  readonly kind: 'struct';
  readonly typeName: string;
  readonly fields: readonly {
    readonly name: string;
    readonly value: Expression;
    readonly isOptional: boolean;
    readonly offset: number;
  }[];
}

export type ComprehensionKind =
  | 'all'
  | 'exists'
  | 'exists_one'
  | 'map'
  | 'filter'
  | 'transformList'
  | 'transformMap'
  | 'transformMapEntry'
  | 'sortBy';

/** A macro over the items of a list or the keys of a map: kept as it was written, not unfolded. */
export interface Comprehension extends Node {
  readonly kind: 'comprehension';
  readonly macro: ComprehensionKind;
  readonly range: Expression;
  /** One: the item or key. Two: index and item, or key and value. */
  readonly variables: readonly string[];
  /** Keeps items (`map` and the transforms with a filter). */
  readonly filter: Expression | undefined;
  readonly body: Expression;
}

/** `cel.bind(x, value, body)`, and optMap and optFlatMap, whose `value` is an optional. */
export interface Binding extends Node {
  readonly kind: 'binding';
  readonly macro: 'bind' | 'optMap' | 'optFlatMap';
  readonly variable: string;
  readonly value: Expression;
  readonly body: Expression;
}

/** The expressions directly inside one. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'literal':
    case 'identifier':
      return [];
    case 'select':
      return [expression.operand];
    case 'call':
      return expression.target ? [expression.target, ...expression.arguments] : expression.arguments;
    case 'list':
      return expression.elements.map(({ value }) => value);
    case 'map':
      return expression.entries.flatMap(({ key, value }) => [key, value]);
    case 'struct':
      return expression.fields.map(({ value }) => value);
    case 'comprehension': {
      const { range, filter, body } = expression;
      return filter ? [range, filter, body] : [range, body];
    }
    case 'binding':
      return [expression.value, expression.body];
  }
}

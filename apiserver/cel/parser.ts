import { childrenOf, type ComprehensionKind, type Expression } from './ast.js';
import { CelCompileError } from './errors.js';
import { tokenize, type Token } from './lexer.js';
import { CelUint, isInt64, isUint64 } from './values.js';

/** As in the original: deeper and longer expressions are refused. */
const maxDepth = 250;
const maxCodePoints = 100_000;
/** A long chain of operators nests as deep as it is long, and everything that follows recurses over it. */
const maxTreeDepth = 1_000;

const reserved = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(
    ' ',
  ),
);
const expressionStart =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

const relations = new Set(['==', '!=', '<', '<=', '>', '>=', 'in']);
const comprehensions: Readonly<Record<string, ComprehensionKind>> = {
  all: 'all',
  exists: 'exists',
  exists_one: 'exists_one',
  existsOne: 'exists_one',
  map: 'map',
  filter: 'filter',
  transformList: 'transformList',
  transformMap: 'transformMap',
  transformMapEntry: 'transformMapEntry',
  sortBy: 'sortBy',
};

/**
 * Reads an expression of the Common Expression Language, macros included.
 * @throws CelCompileError
 */
export function parseExpression(source: string, hasBind = false): Expression {
  if (source.length > maxCodePoints) {
    const message = `expression code point size exceeds limit: size: ${source.length}, limit ${maxCodePoints}`;
    throw new CelCompileError('', [{ offset: 0, message }]);
  }
  return new Parser(source, hasBind).parse();
}

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  readonly #hasBind: boolean;
  #at = 0;
  #depth = 0;

  constructor(source: string, hasBind: boolean) {
    this.#source = source;
    this.#hasBind = hasBind;
    this.#tokens = tokenize(source);
  }

  parse(): Expression {
    const expression = this.#expression();
    const rest = this.#peek();
    if (rest.kind !== 'end') throw this.#fail(rest, `extraneous input '${rest.text}' expecting <EOF>`);
    if (isTooDeep(expression)) throw this.#issue(0, `expression recursion limit exceeded: ${maxTreeDepth}`);
    return expression;
  }

  #expression(): Expression {
    this.#depth += 1;
    if (this.#depth > maxDepth) {
      throw this.#issue(this.#peek().offset, `expression recursion limit exceeded: ${maxDepth}`);
    }
    const condition = this.#chain('||', () => this.#chain('&&', () => this.#relation()));
    const question = this.#peek();
    let result = condition;
    if (this.#accept('?')) {
      const then = this.#chain('||', () => this.#chain('&&', () => this.#relation()));
      this.#expect(':');
      result = this.#operator('_?_:_', question.offset, [condition, then, this.#expression()]);
    }
    this.#depth -= 1;
    return result;
  }

  /** `a || b || c`: balanced, so that a long chain is not deep. */
  #chain(symbol: '||' | '&&', next: () => Expression): Expression {
    const terms = [next()];
    const offsets: number[] = [];
    while (this.#isSymbol(symbol)) {
      offsets.push(this.#next().offset);
      terms.push(next());
    }
    const build = (from: number, to: number): Expression => {
      const first = terms[from];
      if (to - from === 1 && first) return first;
      const middle = (from + to + 1) >> 1;
      return this.#operator(`_${symbol}_`, offsets[middle - 1] ?? 0, [build(from, middle), build(middle, to)]);
    };
    return build(0, terms.length);
  }

  #relation(): Expression {
    const isRelation = ({ kind, text }: Token): boolean =>
      relations.has(text) && (kind === 'symbol' || kind === 'identifier');
    return this.#leftToRight(isRelation, () => this.#sum());
  }

  #sum(): Expression {
    return this.#leftToRight(isOneOf('+', '-'), () => this.#leftToRight(isOneOf('*', '/', '%'), () => this.#unary()));
  }

  #leftToRight(isOperator: (token: Token) => boolean, next: () => Expression): Expression {
    let left = next();
    while (isOperator(this.#peek())) {
      const { text, offset } = this.#next();
      left = this.#operator(text === 'in' ? '@in' : `_${text}_`, offset, [left, next()]);
    }
    return left;
  }

  #unary(): Expression {
    const first = this.#peek();
    if (first.kind !== 'symbol' || (first.text !== '!' && first.text !== '-')) return this.#member();
    let count = 0;
    while (this.#isSymbol(first.text)) {
      const number = this.#tokens[this.#at + 1];
      if (first.text === '-' && (number?.kind === 'int' || number?.kind === 'double')) break;
      this.#next();
      count += 1;
    }
    const operand = this.#member();
    return count % 2 === 0 ? operand : this.#operator(first.text === '!' ? '!_' : '-_', first.offset, [operand]);
  }

  #member(): Expression {
    let operand = this.#primary();
    for (;;) {
      const { offset } = this.#peek();
      if (this.#accept('.')) operand = this.#selection(operand, offset);
      else if (this.#accept('[')) {
        const isOptional = this.#accept('?');
        const index = this.#expression();
        this.#expect(']');
        operand = this.#operator(isOptional ? '_[?_]' : '_[_]', offset, [operand, index]);
      } else if (this.#isSymbol('{')) {
        const typeName = qualifiedName(operand);
        if (typeName === undefined) return operand;
        operand = this.#struct(typeName, offset);
      } else return operand;
    }
  }

  #selection(operand: Expression, offset: number): Expression {
    const isOptional = this.#accept('?');
    const name = this.#next();
    if (name.kind === 'quoted') return { kind: 'select', operand, field: name.text, isTest: false, isOptional, offset };
    if (name.kind !== 'identifier' || name.text === 'in' || /^(true|false|null)$/.test(name.text)) {
      throw this.#fail(
        name,
        name.kind === 'end' ? "no viable alternative at input '.'" : `no viable alternative at input '.${name.text}'`,
      );
    }
    if (!isOptional && this.#isSymbol('(')) {
      const at = this.#next().offset;
      const list = this.#arguments(')');
      return this.#macro(name.text, operand, list, at) ?? this.#call(name.text, operand, list, at);
    }
    return { kind: 'select', operand, field: name.text, isTest: false, isOptional, offset };
  }

  #primary(): Expression {
    const token = this.#next();
    const { offset, text } = token;
    switch (token.kind) {
      case 'string':
        return { kind: 'literal', value: text, offset };
      case 'bytes':
        return { kind: 'literal', value: token.bytes ?? new Uint8Array(), offset };
      case 'int':
      case 'uint':
      case 'double':
        return this.#number(token, false);
      case 'identifier':
        return this.#identifier(token);
      case 'symbol':
        return this.#symbolic(token);
      default:
        throw this.#fail(token, `mismatched input '${text}' expecting ${expressionStart}`);
    }
  }

  #symbolic(token: Token): Expression {
    const { offset, text } = token;
    switch (text) {
      case '-': {
        const number = this.#next();
        return this.#number(number, true, offset);
      }
      case '(': {
        const inner = this.#expression();
        this.#expect(')');
        return inner;
      }
      case '[':
        return this.#list(offset);
      case '{':
        return this.#map(offset);
      case '.': {
        const name = this.#next();
        if (name.kind === 'identifier') return this.#identifier(name);
        throw this.#fail(name, `mismatched input '${name.text}' expecting IDENTIFIER`);
      }
      default:
        throw this.#fail(token, `mismatched input '${text}' expecting ${expressionStart}`);
    }
  }

  #number(token: Token, isNegative: boolean, offset = token.offset): Expression {
    const sign = isNegative ? '-' : '';
    if (token.kind === 'double') {
      const value = Number(sign + token.text);
      if (!Number.isFinite(value)) throw this.#issue(offset, 'invalid double literal');
      return { kind: 'literal', value, offset };
    }
    const digits = BigInt(token.text.replace(/[uU]$/, ''));
    if (token.kind === 'uint' && !isNegative) {
      if (isUint64(digits)) return { kind: 'literal', value: new CelUint(digits), offset };
    } else if (token.kind === 'int') {
      const value = isNegative ? -digits : digits;
      if (isInt64(value)) return { kind: 'literal', value, offset };
    }
    throw this.#issue(offset, token.kind === 'uint' ? 'invalid uint literal' : 'invalid int literal');
  }

  #identifier({ text, offset }: Token): Expression {
    if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true', offset };
    if (text === 'null') return { kind: 'literal', value: null, offset };
    if (reserved.has(text)) throw this.#issue(offset, `reserved identifier: ${text}`);
    if (!this.#isSymbol('(')) return { kind: 'identifier', name: text, offset };
    const at = this.#next().offset;
    const list = this.#arguments(')');
    if (text === 'has' && list.length === 1) return this.#has(list, at);
    return this.#call(text, undefined, list, at);
  }

  #has(list: readonly Expression[], offset: number): Expression {
    const [field] = list;
    if (list.length === 1 && field?.kind === 'select' && !field.isTest) return { ...field, isTest: true, offset };
    throw this.#issue(field?.offset ?? offset, 'invalid argument to has() macro');
  }

  #macro(name: string, target: Expression, list: readonly Expression[], offset: number): Expression | undefined {
    const [first, second, third, fourth] = list;
    if (
      this.#hasBind &&
      name === 'bind' &&
      target.kind === 'identifier' &&
      target.name === 'cel' &&
      first &&
      second &&
      third
    ) {
      if (list.length !== 3) return undefined;
      return { kind: 'binding', macro: 'bind', variable: this.#variable(first), value: second, body: third, offset };
    }
    if ((name === 'optMap' || name === 'optFlatMap') && first && second && list.length === 2) {
      return { kind: 'binding', macro: name, variable: this.#variable(first), value: target, body: second, offset };
    }
    const macro = Object.hasOwn(comprehensions, name) ? comprehensions[name] : undefined;
    if (!macro || !first || !second) return undefined;
    const common = { kind: 'comprehension', macro, range: target, offset } as const;
    const isTransform = macro.startsWith('transform');
    if (list.length === 2 && !isTransform) {
      if (name === 'existsOne') return undefined;
      return { ...common, variables: [this.#variable(first)], filter: undefined, body: second };
    }
    if (macro === 'sortBy') return undefined;
    if (list.length === 3 && third && macro === 'map') {
      return { ...common, variables: [this.#variable(first)], filter: second, body: third };
    }
    const hasTwoVariables = isTransform || macro === 'all' || macro === 'exists' || macro === 'exists_one';
    if (!hasTwoVariables || !third || list.length > (isTransform ? 4 : 3)) return undefined;
    const variables = [this.#variable(first), this.#variable(second)];
    if (variables[0] === variables[1]) throw this.#issue(second.offset, `duplicate variable name: ${variables[0]}`);
    return { ...common, variables, filter: fourth && third, body: fourth ?? third };
  }

  #variable(expression: Expression): string {
    if (expression.kind === 'identifier') return expression.name;
    const isName = expression.kind === 'select';
    throw this.#issue(expression.offset, isName ? 'argument must be a simple name' : 'argument is not an identifier');
  }

  #list(offset: number): Expression {
    const elements: { value: Expression; isOptional: boolean }[] = [];
    while (!this.#accept(']')) {
      const isOptional = this.#accept('?');
      elements.push({ value: this.#expression(), isOptional });
      if (!this.#isSymbol(']')) this.#expect(',');
    }
    return { kind: 'list', elements, offset };
  }

  #map(offset: number): Expression {
    const entries: { key: Expression; value: Expression; isOptional: boolean }[] = [];
    while (!this.#accept('}')) {
      const isOptional = this.#accept('?');
      const key = this.#expression();
      this.#expect(':');
      entries.push({ key, value: this.#expression(), isOptional });
      if (!this.#isSymbol('}')) this.#expect(',');
    }
    return { kind: 'map', entries, offset };
  }

  #struct(typeName: string, offset: number): Expression {
    this.#expect('{');
    const fields: { name: string; value: Expression; isOptional: boolean; offset: number }[] = [];
    while (!this.#accept('}')) {
      const isOptional = this.#accept('?');
      const name = this.#next();
      if (name.kind !== 'identifier' && name.kind !== 'quoted') {
        throw this.#fail(name, `mismatched input '${name.text}' expecting {'}', ',', IDENTIFIER}`);
      }
      this.#expect(':');
      fields.push({ name: name.text, value: this.#expression(), isOptional, offset: name.offset });
      if (!this.#isSymbol('}')) this.#expect(',');
    }
    return { kind: 'struct', typeName, fields, offset };
  }

  #arguments(close: string): Expression[] {
    const list: Expression[] = [];
    if (this.#accept(close)) return list;
    for (;;) {
      list.push(this.#expression());
      if (this.#accept(close)) return list;
      this.#expect(',');
    }
  }

  #call(name: string, target: Expression | undefined, list: readonly Expression[], offset: number): Expression {
    return { kind: 'call', function: name, target, arguments: list, offset };
  }

  #operator(name: string, offset: number, list: readonly Expression[]): Expression {
    return this.#call(name, undefined, list, offset);
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '<EOF>', offset: this.#source.length };
  }

  #next(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }

  #isSymbol(text: string): boolean {
    const token = this.#peek();
    return token.kind === 'symbol' && token.text === text;
  }

  #accept(text: string): boolean {
    if (!this.#isSymbol(text)) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (this.#accept(text)) return;
    const found = this.#peek();
    throw this.#fail(found, `mismatched input '${found.text}' expecting '${text}'`);
  }

  #fail({ offset }: Token, message: string): CelCompileError {
    return this.#issue(offset, `Syntax error: ${message}`);
  }

  #issue(offset: number, message: string): CelCompileError {
    return new CelCompileError(this.#source, [{ offset, message }]);
  }
}

const isOneOf =
  (...symbols: readonly string[]) =>
  ({ kind, text }: Token): boolean =>
    kind === 'symbol' && symbols.includes(text);

/** `a.b.c` where the expression is nothing but names. */
export function qualifiedName(expression: Expression): string | undefined {
  if (expression.kind === 'identifier') return expression.name;
  if (expression.kind !== 'select' || expression.isTest || expression.isOptional) return undefined;
  const operand = qualifiedName(expression.operand);
  return operand === undefined ? undefined : `${operand}.${expression.field}`;
}

/** Level by level, since what is too deep to recurse over is what is looked for. */
function isTooDeep(expression: Expression): boolean {
  let level: readonly Expression[] = [expression];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === maxTreeDepth) return true;
    level = level.flatMap(childrenOf);
  }
  return false;
}

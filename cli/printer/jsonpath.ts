import { Failure } from '../cluster/failure.js';
import { goJson } from './json.js';

/** A piece of a template: text, or an expression in braces. */
type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly steps: readonly Step[]; readonly isRoot: boolean }
  | { readonly kind: 'range'; readonly over: Node; readonly body: readonly Node[] };
type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'recursive'; readonly name: string }
  | { readonly kind: 'slice'; readonly from?: number; readonly to?: number; readonly step: number }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'union'; readonly members: readonly (readonly Step[])[] }
  | { readonly kind: 'filter'; readonly left: Operand; readonly operator?: string; readonly right?: Operand };
type Operand = { readonly literal: unknown } | { readonly path: readonly Step[]; readonly isRoot: boolean };

/**
 * A template of kubectl's `-o jsonpath`, e.g. `{range .items[*]}{.metadata.name}{"\n"}{end}`.
 * Steps: `.field`, `['field']`, `[0]`, `[-1:]`, `[0,2]`, `[*]`, `..field`, `[?(@.type=="Ready")]`.
 */
export class JsonPath {
  readonly #nodes: readonly Node[];

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
  }

  /** @throws Failure with the place of the mistake. */
  static parse(template: string): JsonPath {
    return new JsonPath(new TemplateParser(template).nodes());
  }

  /** An expression without the braces, as custom columns, --sort-by and wait take it: `.metadata.name`, `{.x}`, `x.y`. */
  static parseRelaxed(expression: string): JsonPath {
    const [whole, braced, bare] = /^(?:\{([^{}]*)\}|([^{}]*))$/s.exec(expression.trim()) ?? [];
    if (whole === undefined) {
      throw new Failure(
        "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
      );
    }
    const path = (braced ?? bare ?? '').trim();
    const dotted = path.startsWith('.') || path.startsWith('[') || path.startsWith('$') ? path : `.${path}`;
    return JsonPath.parse(`{${dotted}}`);
  }

  /** Values of all expressions, in order. */
  find(data: unknown, allowMissing = true): unknown[] {
    return this.#nodes.flatMap((node) => (node.kind === 'path' ? evaluate(node, data, data, allowMissing) : []));
  }

  /** The text that the template gives for an object. */
  render(data: unknown, allowMissing = true): string {
    return renderNodes(this.#nodes, data, data, allowMissing);
  }
}

function renderNodes(nodes: readonly Node[], current: unknown, root: unknown, allowMissing: boolean): string {
  return nodes
    .map((node) => {
      if (node.kind === 'text') return node.text;
      if (node.kind === 'path') return evaluate(node, current, root, allowMissing).map(valueText).join(' ');
      const items = node.over.kind === 'path' ? evaluate(node.over, current, root, allowMissing) : [];
      return items.map((item) => renderNodes(node.body, item, root, allowMissing)).join('');
    })
    .join('');
}

/** Text of a value: strings as they are, all else as Go's JSON. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : goJson(value);
}

function evaluate(
  node: { readonly steps: readonly Step[]; readonly isRoot: boolean },
  current: unknown,
  root: unknown,
  allowMissing: boolean,
): unknown[] {
  return walk(node.steps, [node.isRoot ? root : current], root, allowMissing);
}

function walk(steps: readonly Step[], start: unknown[], root: unknown, allowMissing: boolean): unknown[] {
  return steps.reduce((values, step) => values.flatMap((value) => take(step, value, root, allowMissing)), start);
}

function take(step: Step, value: unknown, root: unknown, allowMissing: boolean): unknown[] {
  switch (step.kind) {
    case 'field':
      return takeField(step.name, value, allowMissing);
    case 'wildcard':
      return children(value);
    case 'recursive':
      return descend(value).flatMap((each) => (step.name === '*' ? children(each) : takeField(step.name, each, true)));
    case 'index':
      return takeIndex(step.index, value, allowMissing);
    case 'slice':
      return takeSlice(step, value);
    case 'union':
      return step.members.flatMap((member) => walk(member, [value], root, allowMissing));
    case 'filter':
      return children(value).filter((item) => accepts(step, item, root));
  }
}

function takeField(name: string, value: unknown, allowMissing: boolean): unknown[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)) {
    return [(value as Record<string, unknown>)[name]];
  }
  if (allowMissing) return [];
  throw new Failure(`${name} is not found`);
}

function takeIndex(index: number, value: unknown, allowMissing: boolean): unknown[] {
  if (!Array.isArray(value)) return [];
  const at = index < 0 ? value.length + index : index;
  if (at >= 0 && at < value.length) return [value[at]];
  if (allowMissing) return [];
  throw new Failure(`array index out of bounds: index ${index}, length ${value.length}`);
}

function takeSlice(step: { from?: number; to?: number; step: number }, value: unknown): unknown[] {
  if (!Array.isArray(value)) return [];
  const picked: unknown[] = value.slice(step.from, step.to);
  return picked.filter((_, index) => index % step.step === 0);
}

function children(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}

function descend(value: unknown): unknown[] {
  return [value, ...children(value).flatMap(descend)];
}

type Filter = Extract<Step, { kind: 'filter' }>;

function accepts(filter: Filter, item: unknown, root: unknown): boolean {
  const left = operandValues(filter.left, item, root);
  if (filter.operator === undefined || filter.right === undefined) return left.length > 0;
  const [a, b] = [left[0], operandValues(filter.right, item, root)[0]];
  if (a === undefined || b === undefined) return false;
  switch (filter.operator) {
    case '==':
      return a === b || valueText(a) === valueText(b);
    case '!=':
      return valueText(a) !== valueText(b);
    case '<':
      return compare(a, b) < 0;
    case '<=':
      return compare(a, b) <= 0;
    case '>':
      return compare(a, b) > 0;
    default:
      return compare(a, b) >= 0;
  }
}

function operandValues(operand: Operand, item: unknown, root: unknown): unknown[] {
  return 'literal' in operand ? [operand.literal] : walk(operand.path, [operand.isRoot ? root : item], root, true);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [valueText(a), valueText(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Reads templates; a recursive descent over characters. */
class TemplateParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  nodes(): Node[] {
    const nodes = this.#sequence(false);
    return nodes;
  }

  /** Nodes up to the end of the text, or up to `{end}`. */
  #sequence(isInRange: boolean): Node[] {
    const nodes: Node[] = [];
    while (this.#at < this.#text.length) {
      const open = this.#text.indexOf('{', this.#at);
      const end = open < 0 ? this.#text.length : open;
      if (end > this.#at) nodes.push({ kind: 'text', text: this.#text.slice(this.#at, end) });
      this.#at = end;
      if (open < 0) break;
      this.#at++;
      this.#space();
      if (this.#word('end')) {
        this.#expect('}');
        if (!isInRange) throw new Failure('error parsing jsonpath: not in range, nothing to end');
        return nodes;
      }
      nodes.push(...this.#action());
    }
    if (isInRange) throw new Failure('error parsing jsonpath: unterminated range');
    return nodes;
  }

  /** What stands in braces: a range, or one or more expressions. */
  #action(): Node[] {
    if (this.#word('range')) {
      this.#space();
      const over = this.#path();
      this.#expect('}');
      return [{ kind: 'range', over, body: this.#sequence(true) }];
    }
    const nodes: Node[] = [];
    for (this.#space(); !this.#has('}'); this.#space()) {
      if (this.#at >= this.#text.length) throw new Failure('error parsing jsonpath: unclosed action');
      const quote = this.#text[this.#at];
      nodes.push(quote === '"' || quote === "'" ? { kind: 'text', text: this.#quoted() } : this.#path());
    }
    this.#at++;
    return nodes;
  }

  #path(): Node & { kind: 'path' } {
    const start = this.#at;
    const isRoot = this.#has('$');
    if (isRoot || this.#has('@')) this.#at++;
    const steps = this.#steps();
    if (this.#at === start) {
      throw new Failure(`error parsing jsonpath ${this.#text}: unrecognized character at ${this.#at + 1}`);
    }
    return { kind: 'path', steps, isRoot };
  }

  #steps(): Step[] {
    const steps: Step[] = [];
    for (;;) {
      if (this.#has('..')) {
        this.#at += 2;
        steps.push({ kind: 'recursive', name: this.#has('*') ? this.#one() : this.#identifier() });
      } else if (this.#has('.')) {
        this.#at++;
        if (this.#has('*')) {
          this.#at++;
          steps.push({ kind: 'wildcard' });
        } else if (!this.#has('[')) {
          const name = this.#identifier();
          if (name !== '') steps.push({ kind: 'field', name });
        }
      } else if (this.#has('[')) {
        steps.push(this.#bracket());
      } else {
        return steps;
      }
    }
  }

  #bracket(): Step {
    this.#at++;
    if (this.#has('?(')) return this.#filter();
    const members: Step[] = [];
    for (;;) {
      this.#space();
      members.push(this.#member());
      this.#space();
      if (!this.#has(',')) break;
      this.#at++;
    }
    this.#expect(']');
    const [only] = members;
    return members.length === 1 && only ? only : { kind: 'union', members: members.map((member) => [member]) };
  }

  #member(): Step {
    const quote = this.#text[this.#at];
    if (quote === "'" || quote === '"') return { kind: 'field', name: this.#quoted() };
    if (this.#has('*')) {
      this.#at++;
      return { kind: 'wildcard' };
    }
    const match = /^(-?\d+)?(:(-?\d+)?)?(:(\d+)?)?/.exec(this.#text.slice(this.#at));
    const [whole = '', from, colon, to, , step] = match ?? [];
    if (whole === '') throw new Failure(`error parsing jsonpath: invalid array index at ${this.#at + 1}`);
    this.#at += whole.length;
    if (colon === undefined) return { kind: 'index', index: Number(from) };
    return {
      kind: 'slice',
      ...(from === undefined ? {} : { from: Number(from) }),
      ...(to === undefined ? {} : { to: Number(to) }),
      step: Number(step ?? 1) || 1,
    };
  }

  #filter(): Step {
    this.#at += 2;
    this.#space();
    const left = this.#operand();
    this.#space();
    const operator = ['==', '!=', '<=', '>=', '<', '>'].find((each) => this.#has(each));
    this.#at += operator?.length ?? 0;
    this.#space();
    const right = operator === undefined ? undefined : this.#operand();
    this.#space();
    this.#expect(')');
    this.#expect(']');
    return { kind: 'filter', left, ...(operator === undefined || !right ? {} : { operator, right }) };
  }

  #operand(): Operand {
    const character = this.#text[this.#at] ?? '';
    if (character === '"' || character === "'") return { literal: this.#quoted() };
    if (character === '@' || character === '$' || character === '.') {
      const { steps, isRoot } = this.#path();
      return { path: steps, isRoot };
    }
    const [word = ''] = /^[^\s)\]=!<>]+/.exec(this.#text.slice(this.#at)) ?? [];
    this.#at += word.length;
    if (word === 'true' || word === 'false') return { literal: word === 'true' };
    const number = Number(word);
    if (word === '' || Number.isNaN(number)) {
      throw new Failure(`error parsing jsonpath: unrecognized filter operand "${word}"`);
    }
    return { literal: number };
  }

  /** A name; a backslash takes the next character as it is, so `\.` stands inside a name. */
  #identifier(): string {
    let name = '';
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at] ?? '';
      if (character === '\\') name += this.#text[++this.#at] ?? '';
      else if (/[\s.[\]{}()$@,='"<>!*?]/.test(character)) break;
      else name += character;
    }
    return name;
  }

  #quoted(): string {
    const quote = this.#text[this.#at++];
    let text = '';
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at] ?? '';
      if (character === quote) {
        this.#at++;
        return text;
      }
      if (character !== '\\') text += character;
      else text += escaped(this.#text[++this.#at] ?? '');
    }
    throw new Failure('error parsing jsonpath: unterminated quoted string');
  }

  #one(): string {
    return this.#text[this.#at++] ?? '';
  }

  #word(word: string): boolean {
    const follows = /[\s}.]/.test(this.#text[this.#at + word.length] ?? '');
    if (!this.#has(word) || !follows) return false;
    this.#at += word.length;
    this.#space();
    return true;
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #has(text: string): boolean {
    return this.#text.startsWith(text, this.#at);
  }

  #expect(text: string): void {
    this.#space();
    if (!this.#has(text)) {
      throw new Failure(`error parsing jsonpath ${this.#text}: expected "${text}" at ${this.#at + 1}`);
    }
    this.#at += text.length;
  }
}

const escaped = (character: string): string => ({ n: '\n', t: '\t', r: '\r' })[character] ?? character;

import { goText } from '../../shared/api/go-text.js';
import { isObject } from '../../shared/api/json.js';
import { Failure } from '../cluster/failure.js';

/**
 * Go templates (text/template) as far as people write them for `-o go-template`: fields, indexes, pipelines, variables, if, else, range,
 * with, define-less; and the functions of the language with kubectl's `base64decode` and `exists`.
 */
export class GoTemplate {
  readonly #nodes: readonly Node[];

  private constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
  }

  /** @throws Failure when the text is no template. */
  static parse(text: string): GoTemplate {
    const parser = new TemplateParser(lex(text));
    return new GoTemplate(parser.whole());
  }

  render(data: unknown, allowsMissing = true): string {
    const output: string[] = [];
    run(this.#nodes, { dot: data, variables: new Map([['$', data]]), output, allowsMissing });
    return output.join('');
  }
}

type Piece =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'action'; readonly words: readonly string[] };

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'range' | 'with';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** Commands joined by `|`; `names` are the variables that the value goes to. */
interface Pipeline {
  readonly names: readonly string[];
  readonly commands: readonly (readonly Operand[])[];
}
type Operand =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'fields'; readonly variable: string | undefined; readonly path: readonly string[] }
  | { readonly kind: 'group'; readonly pipeline: Pipeline; readonly path: readonly string[] };

const wrong = (what: string): Failure => new Failure(`error parsing template: ${what}`);
const token = /\s+|"(?:[^"\\]|\\.)*"|`[^`]*`|\(|\)(?:\.[\w.]+)?|:=|\||,|=|\$?[\w.-]+|\$/y;

function lex(text: string): Piece[] {
  const pieces: Piece[] = [];
  let rest = text;
  for (;;) {
    const open = rest.indexOf('{{');
    if (open < 0) return [...pieces, { kind: 'text', text: rest }];
    const close = rest.indexOf('}}', open);
    if (close < 0) throw wrong('unclosed action');
    let inner = rest.slice(open + 2, close);
    let before = rest.slice(0, open);
    rest = rest.slice(close + 2);
    if (/^-\s/.test(inner)) {
      before = before.trimEnd();
      inner = inner.slice(1);
    }
    if (/\s-$/.test(inner)) {
      rest = rest.trimStart();
      inner = inner.slice(0, -1);
    }
    pieces.push({ kind: 'text', text: before });
    if (!inner.trim().startsWith('/*')) pieces.push({ kind: 'action', words: words(inner) });
  }
}

function words(text: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length; at = token.lastIndex) {
    token.lastIndex = at;
    const [word] = token.exec(text) ?? [];
    if (word === undefined) throw wrong(`unexpected ${JSON.stringify(text[at])} in command`);
    if (word.trim() !== '') found.push(word);
  }
  return found;
}

class TemplateParser {
  readonly #pieces: readonly Piece[];
  #at = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  whole(): Node[] {
    const { nodes, end } = this.#block();
    if (end !== undefined) throw wrong(`unexpected {{${end.join(' ')}}}`);
    return nodes;
  }

  /** Nodes up to `end` or `else`, or to the end of the text. */
  #block(): { nodes: Node[]; end: readonly string[] | undefined } {
    const nodes: Node[] = [];
    for (let piece = this.#pieces[this.#at++]; piece; piece = this.#pieces[this.#at++]) {
      if (piece.kind === 'text') {
        if (piece.text !== '') nodes.push(piece);
        continue;
      }
      const [first = '', ...rest] = piece.words;
      if (first === 'end' || first === 'else') return { nodes, end: piece.words };
      if (first === 'if' || first === 'range' || first === 'with') nodes.push(this.#branch(first, rest));
      else nodes.push({ kind: 'print', pipeline: parsePipeline(piece.words) });
    }
    return { nodes, end: undefined };
  }

  #branch(kind: 'if' | 'range' | 'with', condition: readonly string[]): Node {
    const { nodes: body, end } = this.#block();
    if (end === undefined) throw wrong('unexpected EOF');
    const pipeline = parsePipeline(condition);
    if (end[0] === 'end') return { kind, pipeline, body, otherwise: [] };
    if (end[1] === 'if') return { kind, pipeline, body, otherwise: [this.#branch('if', end.slice(2))] };
    const { nodes: otherwise, end: last } = this.#block();
    if (last?.[0] !== 'end') throw wrong('unexpected EOF');
    return { kind, pipeline, body, otherwise };
  }
}

function parsePipeline(given: readonly string[]): Pipeline {
  const assign = given.findIndex((word) => word === ':=' || word === '=');
  const names = assign < 0 ? [] : given.slice(0, assign).filter((word) => word !== ',');
  const queue = given.slice(assign + 1);
  const pipeline = { names, commands: parseCommands(queue) };
  if (queue.length > 0) throw wrong(`unexpected ${queue[0] ?? ''}`);
  return pipeline;
}

function parseCommands(queue: string[]): Operand[][] {
  const commands: Operand[][] = [[]];
  for (let word = queue[0]; word !== undefined && !word.startsWith(')'); word = queue[0]) {
    queue.shift();
    if (word === '|') commands.push([]);
    else if (word === '(') {
      const inner = parseCommands(queue);
      const close = queue.shift();
      if (close === undefined) throw wrong('unclosed left paren');
      commands.at(-1)?.push({ kind: 'group', pipeline: { names: [], commands: inner }, path: steps(close.slice(1)) });
    } else commands.at(-1)?.push(operand(word));
  }
  if (commands.some((command) => command.length === 0)) throw wrong('missing value for command');
  return commands;
}

const steps = (text: string): string[] => text.split('.').filter((step) => step !== '');

function operand(word: string): Operand {
  if (word.startsWith('"')) return { kind: 'literal', value: JSON.parse(word) as unknown };
  if (word.startsWith('`')) return { kind: 'literal', value: word.slice(1, -1) };
  if (/^-?\d+(\.\d+)?$/.test(word)) return { kind: 'literal', value: Number(word) };
  if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
  if (word === 'nil') return { kind: 'literal', value: null };
  if (word.startsWith('.')) return { kind: 'fields', variable: undefined, path: steps(word) };
  if (word.startsWith('$')) {
    const [variable = '$', ...path] = word.split('.');
    return { kind: 'fields', variable, path: path.filter((step) => step !== '') };
  }
  if (!Object.hasOwn(functions, word)) throw wrong(`function "${word}" not defined`);
  return { kind: 'name', name: word };
}

interface Scope {
  readonly dot: unknown;
  readonly variables: ReadonlyMap<string, unknown>;
  readonly output: string[];
  /** Whether a field that is not there is `<no value>`, and no failure. */
  readonly allowsMissing: boolean;
}

function run(nodes: readonly Node[], given: Scope): void {
  let scope = given;
  for (const node of nodes) {
    if (node.kind === 'text') {
      scope.output.push(node.text);
      continue;
    }
    const value = evaluate(node.pipeline, scope);
    const [name] = node.pipeline.names;
    if (node.kind === 'print') {
      if (name === undefined) scope.output.push(shown(value));
      else scope = { ...scope, variables: new Map([...scope.variables, [name, value]]) };
    } else if (node.kind === 'range') runRange(node, value, scope);
    else if (isTrue(value)) {
      const variables = name === undefined ? scope.variables : new Map([...scope.variables, [name, value]]);
      run(node.body, { ...scope, variables, dot: node.kind === 'with' ? value : scope.dot });
    } else run(node.otherwise, scope);
  }
}

function runRange(node: Extract<Node, { kind: 'if' | 'range' | 'with' }>, value: unknown, scope: Scope): void {
  const entries: [unknown, unknown][] = Array.isArray(value)
    ? (value as unknown[]).map((item, index) => [index, item])
    : isObject(value)
      ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
      : [];
  if (entries.length === 0) return run(node.otherwise, scope);
  const { names } = node.pipeline;
  for (const [key, item] of entries) {
    const own: [string, unknown][] =
      names.length > 1
        ? [
            [names[0] ?? '', key],
            [names[1] ?? '', item],
          ]
        : names.map((name) => [name, item]);
    run(node.body, { ...scope, dot: item, variables: new Map([...scope.variables, ...own]) });
  }
}

/** The value of each command is the last argument of the next. */
function evaluate({ commands }: Pipeline, scope: Scope): unknown {
  let result: readonly unknown[] = [];
  for (const [first, ...rest] of commands) {
    if (!first) continue;
    const call = first.kind === 'name' ? functions[first.name] : undefined;
    if (call) result = [call([...rest.map((each) => valueOf(each, scope)), ...result])];
    else result = [valueOf(first, scope)];
  }
  return result[0];
}

function valueOf(given: Operand, scope: Scope): unknown {
  switch (given.kind) {
    case 'literal':
      return given.value;
    case 'name':
      return functions[given.name]?.([]);
    case 'group':
      return at(evaluate(given.pipeline, scope), given.path, scope);
    case 'fields':
      return at(given.variable === undefined ? scope.dot : scope.variables.get(given.variable), given.path, scope);
  }
}

const at = (
  value: unknown,
  path: readonly string[],
  { allowsMissing }: Pick<Scope, 'allowsMissing'> = { allowsMissing: true },
): unknown =>
  path.reduce<unknown>((inner, step) => {
    if (isObject(inner) && Object.hasOwn(inner, step)) return inner[step];
    if (allowsMissing) return undefined;
    throw new Failure(`error executing template: map has no entry for key ${JSON.stringify(step)}`);
  }, value);

function isTrue(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return false;
  if (typeof value === 'object') return Object.keys(value).length > 0;
  return true;
}

/** A value as Go's templates print it. */
const shown = (value: unknown): string => (value === undefined || value === null ? '<no value>' : goText(value));

const order = (a: unknown, b: unknown): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : shown(a) < shown(b) ? -1 : shown(a) > shown(b) ? 1 : 0;

type Call = (values: readonly unknown[]) => unknown;
const functions: Readonly<Record<string, Call>> = {
  and: (values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (values) => values.find(isTrue) ?? values.at(-1),
  not: ([value]) => !isTrue(value),
  eq: ([first, ...others]) => others.some((other) => shown(first) === shown(other)),
  ne: ([a, b]) => shown(a) !== shown(b),
  lt: ([a, b]) => order(a, b) < 0,
  le: ([a, b]) => order(a, b) <= 0,
  gt: ([a, b]) => order(a, b) > 0,
  ge: ([a, b]) => order(a, b) >= 0,
  len: ([value]) =>
    typeof value === 'string' ? Buffer.byteLength(value) : Object.keys((value ?? {}) as object).length,
  index: ([value, ...keys]) =>
    keys.reduce<unknown>(
      (inner, key) => (Array.isArray(inner) ? (inner as unknown[])[Number(key)] : at(inner, [String(key as string)])),
      value,
    ),
  print: (values) => values.map(shown).join(''),
  println: (values) => `${values.map(shown).join(' ')}\n`,
  printf: ([format, ...values]) => formatted(String(format as string), values),
  html: ([value]) => shown(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  urlquery: ([value]) => encodeURIComponent(shown(value)),
  base64decode: ([value]) => Buffer.from(shown(value), 'base64').toString('utf8'),
  exists: ([value, ...keys]) =>
    at(
      value,
      keys.map((key) => String(key as string)),
    ) !== undefined,
};

/** Go's printf, as far as templates use it: %s %v %d %q %t, with a width. */
function formatted(format: string, values: readonly unknown[]): string {
  let next = 0;
  return format.replaceAll(/%(-?)(\d*)([svdqt%])/g, (_, left: string, width: string, verb: string) => {
    if (verb === '%') return '%';
    const value = values[next++];
    const text = verb === 'q' ? JSON.stringify(shown(value)) : shown(value);
    return left === '-' ? text.padEnd(Number(width)) : text.padStart(Number(width));
  });
}

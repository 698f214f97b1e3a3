import { requirement, SelectorError, type Requirement, type Selector, type SelectorOperator } from './selector.js';

/** Longer texts are refused: selectors come from query strings. */
const MAX_LENGTH = 64 * 1024;

type Token = { readonly kind: 'word' | 'symbol' | 'end'; readonly text: string };

/**
 * Reads the text form of a label selector: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`.
 * Keys and values are checked by character set only loosely; the server checks them by the rules of labels.
 * @throws SelectorError
 */
export function parseSelector(text: string): Selector {
  if (text.length > MAX_LENGTH) throw new SelectorError('unable to parse requirement: selector is too long');
  const parser = new Parser(tokens(text));
  const requirements = parser.requirements();
  return { requirements: requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)) };
}

const SYMBOLS = ['==', '!=', '=', '!', ',', '(', ')', '<', '>'];
const WORD = /[^\s=!,()<>]+/y;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < text.length;) {
    if (/\s/.test(text[at] ?? '')) {
      at++;
      continue;
    }
    const symbol = SYMBOLS.find((candidate) => text.startsWith(candidate, at));
    WORD.lastIndex = at;
    const word = symbol ?? WORD.exec(text)?.[0] ?? '';
    found.push({ kind: symbol === undefined ? 'word' : 'symbol', text: word });
    at += word.length;
  }
  return found;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(found: readonly Token[]) {
    this.#tokens = found;
  }

  requirements(): Requirement[] {
    const requirements: Requirement[] = [];
    if (this.#peek().kind === 'end') return requirements;
    for (;;) {
      requirements.push(this.#requirement());
      const next = this.#next();
      if (next.kind === 'end') return requirements;
      if (next.text !== ',') throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (after.kind !== 'word' && after.text !== '!')
        throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
    }
  }

  #requirement(): Requirement {
    const isNegated = this.#take('!');
    const key = this.#next();
    if (key.kind !== 'word') {
      if (isNegated) throw unexpected(key, 'identifier');
      throw new SelectorError(`found '${key.text}', expected: !, identifier, or 'end of string'`);
    }
    checkKey(key.text);
    if (isNegated) return requirement(key.text, '!', []);
    const after = this.#peek();
    if (after.kind === 'end' || after.text === ',') return requirement(key.text, 'exists', []);
    const operator = operatorOf(this.#next());
    const values = operator === 'in' || operator === 'notin' ? this.#set() : [this.#value()];
    for (const value of values) checkValue(value, key.text);
    return checkedRequirement(key.text, operator, values);
  }

  /** `(a,b)`; an empty member is the empty value. */
  #set(): string[] {
    if (!this.#take('(')) {
      throw new SelectorError(`unable to parse requirement: found '${this.#next().text}' expected: '('`);
    }
    const values: string[] = [];
    let current = '';
    for (;;) {
      const next = this.#next();
      if (next.text === ',' || next.text === ')') values.push(current);
      if (next.text === ')') return values;
      if (next.text === ',') current = '';
      else if (next.kind === 'word' && current === '') current = next.text;
      else throw unexpected(next, "',', or identifier");
    }
  }

  #value(): string {
    const next = this.#peek();
    if (next.kind === 'end' || next.text === ',') return '';
    if (next.kind !== 'word') throw unexpected(next, 'identifier');
    return this.#next().text;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' };
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #take(symbol: string): boolean {
    const found = this.#peek().kind === 'symbol' && this.#peek().text === symbol;
    if (found) this.#at++;
    return found;
  }
}

function checkedRequirement(key: string, operator: SelectorOperator, values: readonly string[]): Requirement {
  try {
    return requirement(key, operator, values);
  } catch (error) {
    if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`);
    throw error;
  }
}

function operatorOf(token: Token): SelectorOperator {
  const table: Readonly<Record<string, SelectorOperator>> = {
    '=': '=',
    '==': '=',
    '!=': '!=',
    in: 'in',
    notin: 'notin',
    '>': 'gt',
    '<': 'lt',
  };
  const operator = Object.hasOwn(table, token.text) ? table[token.text] : undefined;
  if (operator === undefined) throw unexpected(token, 'in, notin, =, ==, !=, gt, lt');
  return operator;
}

function unexpected(token: Token, wanted: string): SelectorError {
  return new SelectorError(`unable to parse requirement: found '${token.text}', expected: ${wanted}`);
}

const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** A qualified name: the messages of the original are long, and people need to know only which key is wrong. */
function checkKey(key: string): void {
  const slash = key.lastIndexOf('/');
  const name = key.slice(slash + 1);
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const isPrefixGood = prefix === undefined || /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(prefix);
  if (name.length > 63 || !NAME.test(name) || !isPrefixGood || key.length > 317)
    throw new SelectorError(
      `unable to parse requirement: <nil>: Invalid value: "${key}": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    );
}

function checkValue(value: string, key: string): void {
  if (value !== '' && (value.length > 63 || !NAME.test(value)))
    throw new SelectorError(
      `unable to parse requirement: values[0][${key}]: Invalid value: "${value}": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
    );
}

/** Tells why a text is not JSON, in the words of Go's parser, which clients know. Only called after JSON.parse has failed. */
export function jsonFault(text: string): string {
  return new FaultFinder(text).find() ?? 'invalid JSON';
}

type Expectation = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end';

const isSpace = (c: string | undefined): boolean => c === ' ' || c === '\n' || c === '\t' || c === '\r';
const isDigit = (c: string | undefined): boolean => c !== undefined && c >= '0' && c <= '9';
const endOfInput = 'unexpected end of JSON input';

class FaultFinder {
  readonly #text: string;
  #at = 0;
  /** `{` and `[` of the containers that are open. */
  readonly #open: string[] = [];
  #fault: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  find(): string | undefined {
    let expected: Expectation = 'value';
    for (;;) {
      while (isSpace(this.#text[this.#at])) this.#at++;
      const c = this.#text[this.#at];
      if (c === undefined) return this.#open.length > 0 || expected === 'value' ? endOfInput : undefined;
      if (expected === 'comma-or-end' && this.#open.length === 0) return this.#invalid('after top-level value');
      const next = this.#step(c, expected);
      if (next === undefined) return this.#fault;
      expected = next;
    }
  }

  #step(c: string, expected: Expectation): Expectation | undefined {
    const isObject = this.#open.at(-1) === '{';
    if ((expected === 'key-or-end' && c === '}') || (expected === 'value-or-end' && c === ']')) return this.#close();
    switch (expected) {
      case 'key':
      case 'key-or-end':
        if (c !== '"') return this.#fail('looking for beginning of object key string');
        return this.#string() ? 'colon' : undefined;
      case 'colon':
        if (c !== ':') return this.#fail('after object key');
        this.#at++;
        return 'value';
      case 'comma-or-end':
        if (c === (isObject ? '}' : ']')) return this.#close();
        if (c !== ',') return this.#fail(isObject ? 'after object key:value pair' : 'after array element');
        this.#at++;
        return isObject ? 'key' : 'value';
      default:
        return this.#value(c);
    }
  }

  #value(c: string): Expectation | undefined {
    if (c === '{' || c === '[') {
      this.#open.push(c);
      this.#at++;
      return c === '{' ? 'key-or-end' : 'value-or-end';
    }
    let isValid: boolean;
    if (c === '"') isValid = this.#string();
    else if (c === '-' || isDigit(c)) isValid = this.#number();
    else if (c === 't' || c === 'f' || c === 'n') {
      isValid = this.#literal(c === 't' ? 'true' : c === 'f' ? 'false' : 'null');
    } else return this.#fail('looking for beginning of value');
    return isValid ? 'comma-or-end' : undefined;
  }

  #close(): Expectation {
    this.#open.pop();
    this.#at++;
    return 'comma-or-end';
  }

  #literal(word: string): boolean {
    for (const letter of word) {
      if (this.#text[this.#at] !== letter) {
        this.#fail(`in literal ${word} (expecting '${letter}')`);
        return false;
      }
      this.#at++;
    }
    return true;
  }

  #number(): boolean {
    if (this.#text[this.#at] === '-') this.#at++;
    if (this.#text[this.#at] === '0') this.#at++;
    else if (!this.#digits('in numeric literal')) return false;
    if (this.#text[this.#at] === '.') {
      this.#at++;
      if (!this.#digits('after decimal point in numeric literal')) return false;
    }
    if (this.#text[this.#at] === 'e' || this.#text[this.#at] === 'E') {
      this.#at++;
      if (this.#text[this.#at] === '+' || this.#text[this.#at] === '-') this.#at++;
      return this.#digits('in exponent of numeric literal');
    }
    return true;
  }

  #digits(context: string): boolean {
    if (!isDigit(this.#text[this.#at])) {
      this.#fail(context);
      return false;
    }
    while (isDigit(this.#text[this.#at])) this.#at++;
    return true;
  }

  #string(): boolean {
    for (this.#at++; this.#text[this.#at] !== '"'; this.#at++) {
      const c = this.#text[this.#at];
      if (c === undefined || c < ' ') return this.#fail('in string literal') !== undefined;
      if (c === '\\' && !this.#escape()) return false;
    }
    this.#at++;
    return true;
  }

  #escape(): boolean {
    const c = this.#text[++this.#at];
    if (c === undefined || !'"\\/bfnrtu'.includes(c)) return this.#fail('in string escape code') !== undefined;
    if (c !== 'u') return true;
    for (let i = 0; i < 4; i++) {
      const digit = this.#text[++this.#at];
      if (digit === undefined || !/[0-9a-fA-F]/.test(digit)) {
        return this.#fail('in \\u hexadecimal character escape') !== undefined;
      }
    }
    return true;
  }

  #invalid(context: string): string {
    const c = this.#text[this.#at];
    if (c === undefined) return endOfInput;
    const shown = c === "'" ? "'\\''" : c === '"' ? `'"'` : `'${JSON.stringify(c).slice(1, -1)}'`;
    return `invalid character ${shown} ${context}`;
  }

  #fail(context: string): undefined {
    this.#fault = this.#invalid(context);
    return undefined;
  }
}

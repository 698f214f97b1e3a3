import { CelCompileError } from './errors.js';

export type TokenKind = 'identifier' | 'quoted' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; for strings and bytes the content with escapes resolved. */
  readonly text: string;
  readonly bytes?: Uint8Array;
  readonly offset: number;
}

const space = /(?:[\t\n\f\r ]+|\/\/[^\n]*)*/y;
const identifier = /[A-Za-z_][A-Za-z0-9_]*/y;
const quotedIdentifier = /`([A-Za-z0-9_.\-/ ]+)`/y;
const number = /0x[0-9A-Fa-f]+[uU]?|(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|\d+[uU]?/y;
const stringStart = /([bB]?[rR]?)("""|'''|"|')/y;
const symbol = /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}=]/y;

/** Splits an expression into tokens. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  for (;;) {
    at += take(space)?.[0].length ?? 0;
    if (at >= source.length) break;
    const token = readString(source, at, take(stringStart)) ?? readPlain(take, at);
    if (!token) throw unrecognized(source, at);
    tokens.push(token.token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '<EOF>', offset: source.length });
  return tokens;
}

interface Read {
  readonly token: Token;
  readonly end: number;
}

function readPlain(take: (pattern: RegExp) => RegExpExecArray | null, offset: number): Read | undefined {
  const made = (kind: TokenKind, text: string, length: number): Read => ({
    token: { kind, text, offset },
    end: offset + length,
  });
  const word = take(identifier)?.[0];
  if (word !== undefined) return made('identifier', word, word.length);
  const quoted = take(quotedIdentifier);
  if (quoted) return made('quoted', quoted[1] ?? '', quoted[0].length);
  const digits = take(number)?.[0];
  if (digits !== undefined) return made(numberKind(digits), digits, digits.length);
  const sign = take(symbol)?.[0];
  return sign === undefined ? undefined : made('symbol', sign, sign.length);
}

function numberKind(text: string): TokenKind {
  if (/[uU]$/.test(text)) return 'uint';
  return !text.startsWith('0x') && /[.eE]/.test(text) ? 'double' : 'int';
}

function readString(source: string, offset: number, start: RegExpExecArray | null): Read | undefined {
  if (!start) return undefined;
  const prefix = (start[1] ?? '').toLowerCase();
  const quote = start[2] ?? '';
  const isRaw = prefix.includes('r');
  const isBytes = prefix.includes('b');
  const from = offset + start[0].length;
  const end = closingQuote(source, from, quote, isRaw);
  if (end < 0) throw unrecognized(source, offset);
  const content = source.slice(from, end);
  const parts = isRaw ? [Buffer.from(content)] : unescape(source, from, content, isBytes);
  const bytes = Buffer.concat(parts);
  const token: Token = isBytes
    ? { kind: 'bytes', text: content, bytes: new Uint8Array(bytes), offset }
    : { kind: 'string', text: isRaw ? content : bytes.toString('utf8'), offset };
  return { token, end: end + quote.length };
}

function closingQuote(source: string, from: number, quote: string, isRaw: boolean): number {
  for (let at = from; at < source.length; at++) {
    if (source.startsWith(quote, at)) return at;
    if (source[at] === '\n' && quote.length === 1) return -1;
    if (source[at] === '\\' && !isRaw) at += 1;
  }
  return -1;
}

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
};
const codeEscape = /x[0-9A-Fa-f]{2}|X[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-3][0-7]{2}/y;

function unescape(source: string, from: number, content: string, isBytes: boolean): Buffer[] {
  const parts: Buffer[] = [];
  let plain = 0;
  for (let at = content.indexOf('\\'); at >= 0; at = content.indexOf('\\', plain)) {
    parts.push(Buffer.from(content.slice(plain, at)));
    const simple = simpleEscapes[content[at + 1] ?? ''];
    if (simple !== undefined) {
      parts.push(Buffer.from(simple));
      plain = at + 2;
      continue;
    }
    codeEscape.lastIndex = at + 1;
    const code = codeEscape.exec(content)?.[0];
    if (code === undefined) throw unrecognized(source, from + at);
    const isUnicode = /^[uU]/.test(code);
    const value = /^[0-3]/.test(code) ? Number.parseInt(code, 8) : Number.parseInt(code.slice(1), 16);
    const isScalar = value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
    if ((isUnicode && isBytes) || !isScalar) throw unrecognized(source, from + at);
    parts.push(isBytes ? Buffer.from([value]) : Buffer.from(String.fromCodePoint(value)));
    plain = at + 1 + code.length;
  }
  parts.push(Buffer.from(content.slice(plain)));
  return parts;
}

function unrecognized(source: string, offset: number): CelCompileError {
  const rest = JSON.stringify(source.slice(offset, offset + 20)).slice(1, -1);
  return new CelCompileError(source, [{ offset, message: `Syntax error: token recognition error at: '${rest}'` }]);
}

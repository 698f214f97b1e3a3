import { CelError } from '../errors.js';
import { define, type Cost, type Overload } from '../functions.js';
import { sizeOf, ValueList, type CelList } from '../values.js';

/** The longest text that an expression can make: beyond it the costs would not hold. */
const maxLength = 10_000_000;

/** By code points, as the language counts; texts of one unit a character are their own index. */
// oxlint-disable-next-line no-control-regex
const isPlain = (text: string): boolean => /^[\x00-\ud7ff\ue000-\uffff]*$/.test(text);
const pointsOf = (text: string): readonly string[] => Array.from(text);
const lengthOf = (text: string): number => (isPlain(text) ? text.length : pointsOf(text).length);

function slice(text: string, from: number, to: number): string {
  return isPlain(text) ? text.slice(from, to) : pointsOf(text).slice(from, to).join('');
}

function indexIn(index: bigint, length: number): number {
  if (index < 0n || index > BigInt(length)) throw new CelError(`index out of range: ${index}`);
  return Number(index);
}

function charAt(text: string, index: bigint): string {
  const at = indexIn(index, lengthOf(text));
  return slice(text, at, at + 1);
}

/** Place of `part` counted in code points; -1 where it is not. */
function indexOf(text: string, part: string, from: bigint): bigint {
  if (part !== '' && from > BigInt(lengthOf(text))) return -1n;
  const start = indexIn(from, lengthOf(text));
  if (isPlain(text)) return BigInt(text.indexOf(part, start));
  const skipped = slice(text, 0, start).length;
  const at = text.indexOf(part, skipped);
  return at < 0 ? -1n : BigInt(lengthOf(text.slice(0, at)));
}

function lastIndexOf(text: string, part: string, from: bigint | undefined): bigint {
  if (from !== undefined && part !== '' && from > BigInt(lengthOf(text))) return -1n;
  const start = from === undefined ? undefined : slice(text, 0, indexIn(from, lengthOf(text))).length;
  const at = text.lastIndexOf(part, start);
  return at < 0 ? -1n : BigInt(lengthOf(text.slice(0, at)));
}

function substring(text: string, from: bigint, to: bigint | undefined): string {
  const length = lengthOf(text);
  const start = indexIn(from, length);
  const end = to === undefined ? length : indexIn(to, length);
  if (start > end) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  return slice(text, start, end);
}

function replace(text: string, from: string, to: string, limit: bigint): string {
  if (limit === 0n) return text;
  const pieces = from === '' ? ['', ...pointsOf(text), ''] : text.split(from);
  const most = limit < 0n ? pieces.length - 1 : Math.min(Number(limit), pieces.length - 1);
  if (text.length + most * to.length > maxLength) throw new CelError('the result of replace() is too long');
  const joint = from;
  return [...pieces.slice(0, most), pieces.slice(most).join(joint)].join(to);
}

function split(text: string, separator: string, limit: bigint): CelList {
  if (limit === 0n) return new ValueList([]);
  const pieces = separator === '' ? pointsOf(text) : text.split(separator);
  if (limit < 0n || pieces.length <= limit) return new ValueList(pieces);
  const most = Number(limit);
  return new ValueList([...pieces.slice(0, most - 1), pieces.slice(most - 1).join(separator)]);
}

function join(list: CelList, separator: string): string {
  const parts: string[] = [];
  let length = 0;
  for (const item of list) {
    if (typeof item !== 'string') throw new CelError('no such overload: join(list, string)');
    length += item.length + separator.length;
    if (length > maxLength) throw new CelError('the result of join() is too long');
    parts.push(item);
  }
  return parts.join(separator);
}

const joinCost: Cost = ([list, separator]) => {
  let units = 1;
  for (const item of list as CelList) units += 1 + (sizeOf(item) + sizeOf(separator ?? '')) / 10;
  return units;
};

/** The most that replace can make, without making it. */
const replaceCost: Cost = ([text, from, to]) => {
  const places = from === '' ? sizeOf(text) + 1 : sizeOf(text) / sizeOf(from);
  return 1 + (sizeOf(text) * 2 + places * (10 + sizeOf(to))) / 10;
};

const splitCost: Cost = ([text, separator]) => 1 + sizeOf(text) / (separator === '' ? 1 : 10);

const asciiCase =
  (pattern: RegExp, change: (char: string) => string) =>
  (text: string): string =>
    text.replace(pattern, change);

/** White space as Unicode defines it, which is a little more and less than JavaScript's. */
const trim = (text: string): string => text.replace(/^[\p{White_Space}]+/u, '').replace(/[\p{White_Space}]+$/u, '');

const quoteEscapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

const quote = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  `"${text.replace(/[\x07\b\f\n\r\t\v\\"]/g, (char) => quoteEscapes[char] ?? char)}"`;

/** The extension library of strings. */
export const stringFunctions: readonly Overload[] = [
  define('string.charAt(int) -> string', charAt),
  define('string.indexOf(string) -> int', (text: string, part: string) => indexOf(text, part, 0n)),
  define('string.indexOf(string, int) -> int', indexOf),
  define('string.lastIndexOf(string) -> int', (text: string, part: string) => lastIndexOf(text, part, undefined)),
  define('string.lastIndexOf(string, int) -> int', lastIndexOf),
  define(
    'string.lowerAscii() -> string',
    asciiCase(/[A-Z]+/g, (part) => part.toLowerCase()),
  ),
  define(
    'string.upperAscii() -> string',
    asciiCase(/[a-z]+/g, (part) => part.toUpperCase()),
  ),
  define(
    'string.replace(string, string) -> string',
    (text: string, from: string, to: string) => replace(text, from, to, -1n),
    replaceCost,
  ),
  define('string.replace(string, string, int) -> string', replace, replaceCost),
  define('string.split(string) -> list<string>', (text: string, by: string) => split(text, by, -1n), splitCost),
  define('string.split(string, int) -> list<string>', split, splitCost),
  define('string.substring(int) -> string', (text: string, from: bigint) => substring(text, from, undefined)),
  define('string.substring(int, int) -> string', substring),
  define('string.trim() -> string', trim),
  define('list<string>.join() -> string', (list: CelList) => join(list, ''), joinCost),
  define('list<string>.join(string) -> string', join, joinCost),
  define('::strings.quote(string) -> string', quote),
];

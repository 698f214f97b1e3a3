import { seededRandom } from '../clock/seeded-random.js';
import { escapeLine, tokensOf } from './corpus-line.js';
import { disturbJson } from './json-mutation.js';

/** What the inputs of a family are made from. */
export interface Recipe {
  /** Fine inputs, and every one that has ever broken something. */
  readonly seeds: readonly string[];
  /** Words and signs that mean something to the parser, and that it may stumble over. */
  readonly words: readonly string[];
  readonly count: number;
  /** Seeds that are JSON are changed half of the time value by value, so that what comes out is JSON still. */
  readonly keepsJson?: boolean;
}

const hostileWords = [
  '',
  ' ',
  '\0',
  '\n',
  '\\',
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  ',',
  ':',
  '=',
  '!',
  '-',
  '.',
  '..',
  '/',
  '%00',
  '%',
  '~',
  '*',
  '$',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'true',
  'undefined',
  'NaN',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  '-0',
  '0x10',
  '018',
  '1_0',
  '\u00e9',
  '\u{1f600}',
  '\u202e',
  '\ufeff',
].map(escapeLine);
const rawBytes = ['\\xff', '\\xc0\\x80', '\\xed\\xa0\\x80', '\\xf4\\x90\\x80\\x80'];
const repeats = [10, 300, 5000, 60_000];

/** The lines of a corpus: the seeds, then what becomes of them, each once; always the same for the same recipe. */
export function makeCorpus({ seeds, words, count, keepsJson = false }: Recipe, seed: number): string[] {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const escaped = seeds.map(escapeLine);
  const vocabulary = [...words.map(escapeLine), ...hostileWords, ...rawBytes];
  const lines = new Set(escaped);
  for (let attempts = 0; lines.size < count && attempts < count * 50; attempts++) {
    const start = below(escaped.length);
    const changes = 1 + below(3);
    const disturbed = keepsJson && below(2) === 0 ? disturbJson(seeds[start] ?? '', words, changes, below) : undefined;
    if (disturbed !== undefined) {
      lines.add(escapeLine(disturbed));
      continue;
    }
    let tokens = tokensOf(escaped[start] ?? '');
    for (let change = 0; change < changes; change++) {
      const other = tokensOf(escaped[below(escaped.length)] ?? '');
      tokens = mutate(tokens, other, vocabulary, below);
    }
    const line = tokens.join('');
    // An empty last line would be lost in the file.
    if (line !== '') lines.add(line);
  }
  return [...lines].slice(0, count);
}

type Below = (limit: number) => number;

function mutate(tokens: string[], other: string[], words: readonly string[], below: Below): string[] {
  const at = below(tokens.length + 1);
  const end = Math.min(tokens.length, at + 1 + below(4));
  const word = words[below(words.length)] ?? '';
  const before = tokens.slice(0, at);
  const after = tokens.slice(end);
  switch (below(8)) {
    case 0:
      return [...before, ...after];
    case 1:
      return [...before, word, ...tokens.slice(at)];
    case 2:
      return [...before, word, ...after];
    case 3:
      return [...tokens.slice(0, end), ...tokens.slice(at)];
    case 4:
      return before.length > 0 ? before : tokens;
    case 5:
      return [...before, ...other.slice(below(other.length))];
    case 6:
      return [...before, ...tokens.slice(at, end).reverse(), ...after];
    default:
      return [...before, repeated(tokens.slice(at, end), word, below), ...tokens.slice(end)];
  }
}

function repeated(tokens: readonly string[], word: string, below: Below): string {
  const plain = tokens.join('') || word;
  // A repetition inside another, or a brace that would end it, cannot be written.
  const text = /[{}]/.test(plain) ? 'x' : plain;
  return `\\{${repeats[below(repeats.length)] ?? 10}*${text}\\}`;
}

import { RE2JS } from '@bufbuild/re2';
import { CelError } from '../errors.js';
import { define, type Cost, type Overload } from '../functions.js';
import { findMatches } from '../regex-search.js';
import { sizeOf, ValueList, type CelValue } from '../values.js';

/** Longer ones compile to programs that are dear in themselves. */
const maxPatternLength = 10_000;
const maxInstructions = 5_000;
const maxKept = 256;

/** Compiled expressions of RE2, the last used ones kept. */
class RegexCache {
  readonly #kept = new Map<string, RE2JS>();

  /** @throws CelError */
  compile(pattern: string): RE2JS {
    const known = this.#kept.get(pattern);
    if (known) return known;
    const made = compileRegex(pattern);
    if (this.#kept.size >= maxKept) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    this.#kept.set(pattern, made);
    return made;
  }
}

/** @throws CelError for what is no expression of RE2, or too big a one. */
export function compileRegex(pattern: string): RE2JS {
  if (pattern.length > maxPatternLength) throw new CelError('error parsing regexp: expression too large');
  let made: RE2JS;
  try {
    made = RE2JS.compile(pattern);
  } catch (error) {
    throw new CelError(error instanceof Error ? error.message : String(error));
  }
  if (instructionsOf(made) > maxInstructions) throw new CelError('error parsing regexp: expression too large');
  return made;
}

const instructionsOf = (regex: RE2JS): number => regex.re2().prog.numInst();

/** `matches`, and Kubernetes' find and findAll, all in time linear in the text. */
export function regexFunctions(cache: RegexCache = new RegexCache()): readonly Overload[] {
  // In the worst case every instruction looks at every character.
  const regexCost: Cost = ([text, pattern]) =>
    1 + (sizeOf(text) * instructionsOf(cache.compile(pattern as string))) / 5;
  const matches = (text: string, pattern: string): boolean => cache.compile(pattern).test(text);
  const findAll = (text: string, pattern: string, limit: number): CelValue =>
    new ValueList(findMatches(cache.compile(pattern), text, limit));
  return [
    define('string.matches(string) -> bool', matches, regexCost),
    define('matches(string, string) -> bool', matches, regexCost),
    define(
      'string.find(string) -> string',
      (text: string, pattern: string) => findMatches(cache.compile(pattern), text, 1)[0] ?? '',
      (args) => 3 * regexCost(args),
    ),
    define(
      'string.findAll(string) -> list<string>',
      (text: string, pattern: string) => findAll(text, pattern, Number.POSITIVE_INFINITY),
      (args) => 3 * regexCost(args),
    ),
    define(
      'string.findAll(string, int) -> list<string>',
      (text: string, pattern: string, limit: bigint) =>
        findAll(text, pattern, limit < 0n ? Number.POSITIVE_INFINITY : Number(limit)),
      (args) => 3 * regexCost(args),
    ),
  ];
}

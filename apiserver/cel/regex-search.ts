import type { RE2JS } from '@bufbuild/re2';
import { CelError } from './errors.js';

/** Instructions of a compiled expression, as the package numbers them. */
const alternate = 1;
const alternateMatch = 2;
const capture = 3;
const emptyWidth = 4;
const fail = 5;
const match = 6;
const noOperation = 7;

const beginLine = 1;
const endLine = 2;
const beginText = 4;
const endText = 8;
const wordBoundary = 16;
const noWordBoundary = 32;

/** Steps of one search over all its matches: about a tenth of a second. */
const maxSteps = 3_000_000;

/** What the expression matches in the text, from the left, without overlaps: as Go's FindAllString. */
export function findMatches(regex: RE2JS, text: string, limit: number): string[] {
  const points = Array.from(text);
  const search = new Search(regex, points);
  const found: string[] = [];
  let at = 0;
  let lastEnd = -1;
  while (at <= points.length && found.length < limit) {
    const place = search.next(at);
    if (!place) break;
    const [start, end] = place;
    // An empty match right after the last one does not count.
    if (start !== end || start !== lastEnd) found.push(points.slice(start, end).join(''));
    lastEnd = end;
    at = end > at ? end : at + 1;
  }
  return found;
}

type Program = ReturnType<RE2JS['re2']>['prog'];

/** Runs all threads of an expression at once (Pike's machine): linear in the text, whatever the expression. */
class Search {
  readonly #program: Program;
  readonly #runes: readonly number[];
  #steps = 0;

  constructor(regex: RE2JS, points: readonly string[]) {
    this.#program = regex.re2().prog;
    this.#runes = points.map((point) => point.codePointAt(0) ?? 0);
  }

  /** First match at or after `from`; of several that start there, the one that the expression prefers. */
  next(from: number): [start: number, end: number] | undefined {
    let threads = new Map<number, number>();
    let found: [number, number] | undefined;
    for (let at = from; at <= this.#runes.length; at++) {
      if (!found) this.#follow(this.#program.start, at, at, threads);
      if (threads.size === 0 && found) break;
      const following = new Map<number, number>();
      const rune = this.#runes[at];
      for (const [pc, start] of threads) {
        this.#steps += 1;
        const instruction = this.#program.getInst(pc);
        if (instruction.op === match) {
          found = [start, at];
          // Threads after this one are less preferred.
          break;
        }
        if (rune !== undefined && instruction.matchRune(rune)) this.#follow(instruction.out, start, at + 1, following);
      }
      threads = following;
      if (this.#steps > maxSteps) throw new CelError('the regular expression is too expensive for this text');
    }
    return found;
  }

  /** Adds the instructions that consume something and are reached from `pc` without consuming, most preferred first. */
  #follow(first: number, start: number, at: number, threads: Map<number, number>): void {
    const open = [first];
    const seen = new Set<number>();
    for (let pc = open.pop(); pc !== undefined; pc = open.pop()) {
      if (seen.has(pc) || threads.has(pc)) continue;
      seen.add(pc);
      this.#steps += 1;
      const { op, out, arg } = this.#program.getInst(pc);
      if (op === alternate || op === alternateMatch) open.push(arg, out);
      else if (op === capture || op === noOperation) open.push(out);
      else if (op === emptyWidth) {
        if ((arg & ~this.#context(at)) === 0) open.push(out);
      } else if (op !== fail) threads.set(pc, start);
    }
  }

  #context(at: number): number {
    const before = this.#runes[at - 1];
    const after = this.#runes[at];
    let context = isWord(before) === isWord(after) ? noWordBoundary : wordBoundary;
    if (before === undefined) context |= beginText | beginLine;
    if (before === 10) context |= beginLine;
    if (after === undefined) context |= endText | endLine;
    if (after === 10) context |= endLine;
    return context;
  }
}

const isWord = (rune: number | undefined): boolean => rune !== undefined && /\w/.test(String.fromCodePoint(rune));

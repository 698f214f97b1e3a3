import type { Command, Option } from 'commander';

/** A command line up to the word that is being completed, as far as it can be understood. */
export interface Line {
  /** Words that are neither flags nor values of flags. */
  readonly operands: readonly string[];
  readonly flags: Readonly<Record<string, string>>;
  /** The flag whose value comes next. */
  readonly pending: Option | undefined;
  /** Whether `--` was there: what follows belongs to somebody else. */
  readonly isDashed: boolean;
}

/** Reads the words in front of the one to complete. A flag that nobody knows is taken for one without a value. */
export function readLine(words: readonly string[], options: readonly Option[]): Line {
  const operands: string[] = [];
  const flags: Record<string, string> = {};
  let pending: Option | undefined;
  for (const [at, word] of words.entries()) {
    if (pending) {
      flags[pending.attributeName()] = word;
      pending = undefined;
    } else if (word === '--') {
      operands.push(...words.slice(at + 1));
      return { operands, flags, pending, isDashed: true };
    } else if (word.startsWith('-') && word !== '-') pending = readFlag(word, options, flags);
    else operands.push(word);
  }
  return { operands, flags, pending, isDashed: false };
}

/** Notes what a flag says, and returns it when its value is the next word. */
function readFlag(word: string, options: readonly Option[], flags: Record<string, string>): Option | undefined {
  const at = word.indexOf('=');
  const name = at < 0 ? word : word.slice(0, at);
  const isLong = word.startsWith('--');
  const option = options.find(({ long, short }) => (isLong ? long === name : short === name.slice(0, 2)));
  if (!option) return undefined;
  const rest = at >= 0 ? word.slice(at + 1) : isLong ? '' : word.slice(2);
  if (option.required && at < 0 && rest === '') return option;
  flags[option.attributeName()] = option.required || at >= 0 ? rest : 'true';
  return undefined;
}

/** The command that the words name, and the words in front of and behind its name. */
export function findCommand(
  command: Command,
  words: readonly string[],
  globals: readonly Option[],
): [Command, string[]] {
  let found = command;
  const rest = [...words];
  for (let at = 0; at < rest.length;) {
    const word = rest[at] ?? '';
    if (word === '--') break;
    if (word.startsWith('-')) {
      at += readFlag(word, [...found.options, ...globals], {}) ? 2 : 1;
      continue;
    }
    const child = found.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (!child) break;
    found = child;
    rest.splice(at, 1);
  }
  return [found, rest];
}

/** Names of flags that begin with what is there, the short ones where only `-` is. */
export function flagNames(options: readonly Option[], given: Line['flags'], word: string): Candidate[] {
  const names = options
    .filter((option) => !option.hidden && (isRepeatable(option) || given[option.attributeName()] === undefined))
    .flatMap(({ long, short, description }) => [long, short].map((value) => ({ value: value ?? '', description })));
  return names.filter(({ value }) => value !== '' && value.startsWith(word)).sort(byValue);
}

const isRepeatable = (option: Option): boolean => option.description.includes('may be repeated');

/** What a word can become. */
export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

export const byValue = (a: Candidate, b: Candidate): number => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0);

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** What a command's help tells: the commands below it and its own flags, long and short. */
export interface Help {
  readonly commands: readonly string[];
  readonly flags: readonly string[];
}

/** Reads what `kubectl ... --help` prints. */
export function parseHelp(text: string): Help {
  const commands: string[] = [];
  const flags: string[] = [];
  let section = '';
  for (const line of text.split('\n')) {
    if (/^\S.*:$/.test(line)) section = line;
    const command = /^ {2}([a-z][a-z-]*) {2,}\S/.exec(line);
    if (command?.[1] !== undefined && /Commands.*:$/.test(section)) commands.push(command[1]);
    const flag = /^ {4}(?:(-\w), )?(--[a-z][a-z-]*)=/.exec(line);
    if (section === 'Options:' && flag) flags.push(...flag.slice(1).filter((each) => each !== undefined));
  }
  return { commands, flags: flags.sort() };
}

/** Help of a program and of all commands below it, by their path (`rollout undo`; '' for the program itself). */
export async function helpOfAll(program: string): Promise<Map<string, Help>> {
  const all = new Map<string, Help>();
  const visit = async (path: readonly string[]): Promise<void> => {
    const { stdout } = await execute(program, [...path, '--help']);
    const help = parseHelp(stdout);
    all.set(path.join(' '), help);
    await Promise.all(help.commands.map((name) => visit([...path, name])));
  };
  await visit([]);
  return all;
}

/** All commands below a program with their flags, as text: a path on each line, and the flags below it. */
export const formatHelps = (helps: ReadonlyMap<string, Help>): string =>
  [...helps]
    .filter(([path]) => path !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, { flags }]) => `${[path, ...flags].join('\n  ')}\n`)
    .join('');

/** The flags of each command, from what {@link formatHelps} wrote. */
export function parseHelps(text: string): Map<string, readonly string[]> {
  const helps = new Map<string, string[]>();
  let flags: string[] = [];
  for (const line of text.split('\n').filter((each) => each !== '')) {
    if (line.startsWith('  ')) flags.push(line.trim());
    else helps.set(line, (flags = []));
  }
  return helps;
}

/** Where the help of kubectl 1.36 is recorded. */
export const recordedHelp = resolve('cli/testdata/kubectl-1.36-flags.txt');

/** The flags of each command of kubectl 1.36. */
export const kubectlFlags = (): Map<string, readonly string[]> => parseHelps(readFileSync(recordedHelp, 'utf8'));

import { execFile } from 'node:child_process';
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

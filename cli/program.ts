import { Command, CommanderError } from 'commander';
import { isAbort } from '../shared/errors/status-error.js';
import { addClusterCommands } from './cluster/commands.js';
import { Failure } from './cluster/failure.js';
import { CommandHost } from './command-host.js';
import { commandIndex, type IndexEntry } from './command-index.js';
import type { Terminal } from './context.js';
import { ExitError, failureText, HelpFailure } from './failures.js';
import { addGlobalFlags, canonicalArguments, FlagFailure, see } from './flags.js';
import type { FoundPlugin } from './plugin/plugins.js';
import { editDistance } from './spelling.js';

/** The exit code that says: let the signal end this process. */
export const interrupted = 130;

/** Runs one command line and resolves with its exit code; all output goes through `terminal`. */
export async function runKnarr(argv: readonly string[], terminal: Terminal): Promise<number> {
  const host = new CommandHost(terminal);
  const write = (text: string): void => void terminal.stdout.write(text);
  const program = new Command('knarr')
    .description('A Kubernetes in TypeScript that runs real Docker containers')
    .configureOutput({ writeOut: write, writeErr: (text) => void terminal.stderr.write(text) })
    .exitOverride()
    .enablePositionalOptions();
  try {
    const [first = '', ...rest] = argv;
    if (first === '__complete' || first === '__completeNoDesc') {
      addClusterCommands(program);
      const { runComplete } = await import('./completion/complete.js');
      await runComplete(rest, terminal, { clusterCommands: program, withDescriptions: first === '__complete' });
      return host.exitCode;
    }
    const word = argv[nextWord(argv, 0)];
    const entry = commandIndex.find(({ name, aliases }) => name === word || aliases?.includes(word ?? ''));
    const plugin = await pluginFor(argv, program, entry, terminal);
    if (plugin) {
      const { runPlugin } = await import('./plugin/run-plugin.js');
      return await runPlugin(plugin, terminal);
    }
    if (!entry) await runOther(argv, program, terminal);
    else if (await isInterrupted(runIndexed(entry, argv, program, host), terminal))
      return entry.interrupted ?? interrupted;
    return host.exitCode;
  } catch (error) {
    return told(error, terminal, host);
  }
}

/** Whether a command ended because of a signal. Its other failures are thrown. */
async function isInterrupted(running: Promise<void>, { signal }: Terminal): Promise<boolean> {
  try {
    await running;
  } catch (error) {
    if (!signal.aborted || !isAbort(error)) throw error;
  }
  return signal.aborted;
}

function told(error: unknown, terminal: Terminal, host: CommandHost): number {
  if (error instanceof CommanderError) return error.exitCode;
  if (error instanceof ExitError) return error.exitCode;
  // An interrupted command has nothing more to say.
  if (terminal.signal.aborted && isAbort(error)) return interrupted;
  terminal.stderr.write(`${failureText(error, host.server)}\n`);
  return 1;
}

async function runIndexed(
  entry: IndexEntry,
  argv: readonly string[],
  program: Command,
  host: CommandHost,
): Promise<void> {
  const module = await entry.load();
  module.register(program, host);
  let rest = [...argv];
  let command = program;
  for (;;) {
    const at = nextWord(rest, 0);
    const word = rest[at];
    const child = command.commands.find((each) => each.name() === word || each.aliases().includes(word ?? ''));
    if (!child) break;
    command = child;
    rest = rest.toSpliced(at, 1);
  }
  if (command.commands.length > 0 && command.registeredArguments.length === 0) return helpOfGroup(command, rest);
  addGlobalFlags(command);
  const path = pathOf(command);
  const { args, dashAt } = canonicalArguments(rest, command.options, path);
  host.dashAt = dashAt;
  try {
    await command.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof HelpFailure) command.outputHelp();
    if (error instanceof HelpFailure && error.message === '') return;
    throw error instanceof FlagFailure ? new FlagFailure(error.message + see(path)) : error;
  }
}

/** `set` alone: kubectl shows what there is, only of two as output, and of one of these as an answer. */
function helpOfGroup(command: Command, rest: readonly string[]): void {
  const word = rest.find((token) => !token.startsWith('-'));
  if (word !== undefined)
    throw new Error(`unknown command "${word}"\nSee '${pathOf(command)} -h' for help and examples`);
  const isAnswer = command.name() === 'certificate';
  command.outputHelp({ error: !isAnswer && command.name() !== 'rollout' });
  if (isAnswer) return;
  // kubectl ends so: no subcommand was run.
  throw new ExitError(1);
}

/** The plugin for a line that names no command of ours; those of kubectl may also stand below `create`. */
async function pluginFor(
  argv: readonly string[],
  program: Command,
  entry: IndexEntry | undefined,
  { env }: Terminal,
): Promise<FoundPlugin | undefined> {
  const [first, second] = argv;
  if (first === undefined || first.startsWith('-')) return undefined;
  if (entry && (entry.name !== 'create' || second === undefined || second.startsWith('-'))) return undefined;
  if (!entry) {
    if (first === 'help' || isClusterCommand(program, first)) return undefined;
  } else if (await isGenerator(entry, second ?? '')) return undefined;
  const { findPlugin } = await import('./plugin/plugins.js');
  return findPlugin(argv, env, entry ? 2 : 1);
}

function isClusterCommand(program: Command, name: string): boolean {
  if (program.commands.length === 0) addClusterCommands(program);
  return program.commands.some((command) => command.name() === name);
}

async function isGenerator(entry: IndexEntry, name: string): Promise<boolean> {
  const root = new Command();
  (await entry.load()).register(root, new CommandHost({} as Terminal));
  const [command] = root.commands;
  return command?.commands.some((each) => each.name() === name || each.aliases().includes(name)) ?? false;
}

async function runOther(argv: readonly string[], program: Command, terminal: Terminal): Promise<void> {
  const [first] = argv;
  const word = argv[nextWord(argv, 0)];
  if (word !== undefined && word !== 'help' && !isClusterCommand(program, word)) {
    if (first !== word) {
      terminal.stderr.write(`Error: flags cannot be placed before plugin name: ${first ?? ''}\n`);
      throw new ExitError(1);
    }
    throw new Failure(`unknown command "${word}" for "knarr"${suggestionsFor(word, program)}`);
  }
  if (program.commands.length === 0) addClusterCommands(program);
  for (const { name, description } of commandIndex) program.command(name).description(description);
  await program.parseAsync(argv, { from: 'user' });
}

/** Commands that begin so, or differ in at most two letters. */
function suggestionsFor(word: string, program: Command): string {
  const names = [...commandIndex.map(({ name }) => name), ...program.commands.map((command) => command.name())];
  const near = names.filter((name) => name.startsWith(word.toLowerCase()) || editDistance(word, name) <= 2);
  return near.length === 0 ? '' : `\n\nDid you mean this?\n${near.map((name) => `\t${name}`).join('\n')}\n`;
}

const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

const valued = new Set(
  addGlobalFlags(new Command()).options.flatMap((option) =>
    [option.long, option.short].filter((name) => name !== undefined),
  ),
);

/** Index of the next token that is neither a flag nor the value of a global flag in front of the command. */
function nextWord(argv: readonly string[], from: number): number {
  for (let at = from; at < argv.length; at++) {
    const token = argv[at] ?? '';
    if (token === '--') return argv.length;
    if (!token.startsWith('-') || token === '-') return at;
    if (valued.has(token)) at++;
  }
  return argv.length;
}

import { Command, CommanderError } from 'commander';
import { isAbort } from '../shared/errors/status-error.js';
import { addClusterCommands } from './cluster/commands.js';
import { CommandHost } from './command-host.js';
import { commandIndex, type IndexEntry } from './command-index.js';
import type { Terminal } from './context.js';
import { ExitError, failureText } from './failures.js';
import { addGlobalFlags, canonicalArguments, FlagFailure, see } from './flags.js';

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
    if (!entry) await runOther(argv, program);
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
    throw error instanceof FlagFailure ? new FlagFailure(error.message + see(path)) : error;
  }
}

/** `rollout` alone: kubectl shows what there is. */
function helpOfGroup(command: Command, rest: readonly string[]): void {
  const word = rest.find((token) => !token.startsWith('-'));
  if (word !== undefined)
    throw new Error(`unknown command "${word}"\nSee '${pathOf(command)} -h' for help and examples`);
  command.outputHelp();
  // kubectl ends so: no subcommand was run.
  throw new ExitError(1);
}

async function runOther(argv: readonly string[], program: Command): Promise<void> {
  addClusterCommands(program);
  const word = argv[0];
  const isKnown = program.commands.some((command) => command.name() === word);
  for (const { name, description } of commandIndex) program.command(name).description(description);
  if (word !== undefined && !word.startsWith('-') && !isKnown && word !== 'help') {
    throw new Error(`unknown command "${word}" for "knarr"`);
  }
  await program.parseAsync(argv, { from: 'user' });
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

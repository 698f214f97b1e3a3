import { basename } from 'node:path';
import { Command } from 'commander';
import { CommandHost } from '../command-host.js';
import { commandIndex } from '../command-index.js';
import { CommandContext, type Terminal } from '../context.js';
import { addGlobalFlags, type GlobalFlags } from '../flags.js';
import { completeArgument, completeFlag, directive, nothing, type Completion } from './arguments.js';
import { byValue, findCommand, flagNames, readLine, type Candidate } from './line.js';

/**
 * The hidden command `__complete`, by the protocol of cobra: the words of a command line, the last of them as far as it is
 * written, are answered with what it can become, one a line, and a directive for the shell.
 */
export async function runComplete(
  words: readonly string[],
  terminal: Terminal,
  { clusterCommands, withDescriptions }: { readonly clusterCommands: Command; readonly withDescriptions: boolean },
): Promise<void> {
  const answer = await candidates(words, terminal, clusterCommands);
  const line = ({ value, description }: Candidate): string =>
    withDescriptions && description ? `${value}\t${description}` : value;
  terminal.stdout.write([...answer.candidates.map(line), `:${answer.directive}`, ''].join('\n'));
}

interface Answer {
  readonly candidates: readonly Candidate[];
  readonly directive: number;
}

async function candidates(words: readonly string[], terminal: Terminal, clusterCommands: Command): Promise<Answer> {
  const word = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const globals = addGlobalFlags(new Command()).options;
  const root = await rootFor(before, terminal, clusterCommands);
  const [command, rest] = findCommand(root, before, globals);
  const own = new Set(command.options.map(({ long }) => long));
  // Commands that look after clusters of this host speak to none yet.
  const shared = root === clusterCommands && command !== root ? [] : globals;
  const options = [...command.options, ...shared.filter(({ long }) => !own.has(long))];
  const line = readLine(rest, options);
  const path = pathOf(command);
  const context = new CommandContext(terminal, { ...globalFlags(line.flags), requestTimeout: '5s' });
  const { operands, pending, isDashed } = line;
  try {
    if (isDashed) return { candidates: [], directive: directive.noFiles };
    const flag = pending ?? options.find(({ long }) => word.startsWith(`${long ?? ''}=`));
    if (flag) {
      const value = pending ? word : word.slice(word.indexOf('=') + 1);
      return fitting(await completeFlag(flag.attributeName(), context, { path, operands }), value);
    }
    if (word.startsWith('-')) {
      return { candidates: flagNames(options, line.flags, word), directive: directive.noFiles };
    }
    const children =
      operands.length > 0
        ? []
        : [...childrenOf(command, word), ...(command === root ? await pluginsOf(root, word, terminal) : [])].sort(
            byValue,
          );
    if (command === root && operands.length > 0) return { candidates: [], directive: directive.default };
    const more = children.length > 0 ? nothing : await completeArgument(path, context, operands, word);
    const answer = fitting(more, word);
    return { candidates: [...children, ...answer.candidates], directive: answer.directive };
  } catch (error) {
    // The line that is being typed must stay as it is: shells throw this away, a person who asks sees it.
    terminal.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return { candidates: [], directive: directive.noFiles };
  } finally {
    context.close();
  }
}

/** All commands by name; the flags and subcommands of the one that the words name. */
async function rootFor(words: readonly string[], terminal: Terminal, clusterCommands: Command): Promise<Command> {
  const globals = addGlobalFlags(new Command()).options;
  const [name] = readLine(words, globals).operands;
  const entry = commandIndex.find((each) => each.name === name || each.aliases?.includes(name ?? ''));
  if (entry) {
    const root = new Command('knarr');
    (await entry.load()).register(root, new CommandHost(terminal));
    return root;
  }
  for (const { name: indexed, description } of commandIndex) clusterCommands.command(indexed).description(description);
  return clusterCommands;
}

const childrenOf = (command: Command, word: string): Candidate[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help' && each.name().startsWith(word))
    .map((each) => ({ value: each.name(), description: each.description() }))
    .sort(byValue);

/** First words of the names of plugins that are no commands of ours. */
async function pluginsOf(root: Command, word: string, { env }: Terminal): Promise<Candidate[]> {
  const { allPlugins, isExecutable } = await import('../plugin/plugins.js');
  const paths = allPlugins(env, () => undefined).filter(isExecutable);
  const names = paths.map((path) => (basename(path).split('-')[1] ?? '').replaceAll('_', '-'));
  return [...new Set(names)]
    .filter((name) => name.startsWith(word) && !root.commands.some((each) => each.name() === name))
    .map((name) => ({ value: name, description: `The command ${name} is a plugin installed by the user` }));
}

const fitting = ({ values, directive: number }: Completion, word: string): Answer => ({
  candidates: values
    .filter((value) => (number & directive.extensions) !== 0 || value.startsWith(word))
    .map((value) => ({ value })),
  directive: number,
});

const pathOf = (command: Command): string =>
  command.parent?.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

const globalFlags = ({ asGroup, ...flags }: Readonly<Record<string, string>>): GlobalFlags => ({
  ...flags,
  ...(asGroup === undefined ? {} : { asGroup: [asGroup] }),
});

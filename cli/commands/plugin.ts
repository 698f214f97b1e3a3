import { basename } from 'node:path';
import { Command } from 'commander';
import { addClusterCommands } from '../cluster/commands.js';
import { Failure } from '../cluster/failure.js';
import { CommandHost } from '../command-host.js';
import { commandIndex } from '../command-index.js';
import type { CommandContext, Terminal } from '../context.js';
import { booleanFlag } from '../flags.js';
import { allPlugins, isExecutable } from '../plugin/plugins.js';

export function register(program: Command, host: CommandHost): void {
  const plugin = program
    .command('plugin')
    .description('programs on PATH that are commands too: `knarr foo` runs knarr-foo or kubectl-foo');
  const list = plugin
    .command('list')
    .description('show the plugins on PATH, and which of them are never run')
    .addOption(booleanFlag('--name-only', 'their names without the folder'));
  host.bind<{ nameOnly: boolean }>(list, listPlugins);
}

async function listPlugins(context: CommandContext, { nameOnly }: { nameOnly: boolean }): Promise<void> {
  const plugins = allPlugins(context.terminal.env, (line) => context.tell(line));
  if (plugins.length === 0) throw new Failure('unable to find any kubectl plugins in your PATH');
  context.print('The following compatible plugins are available:\n');
  const seen = new Map<string, string>();
  let count = 0;
  for (const path of plugins) {
    context.print(nameOnly ? basename(path) : path);
    for (const warning of await warningsOf(path, seen, context.terminal)) {
      context.tell(`  - warning: ${warning}`);
      count++;
    }
  }
  if (count > 0)
    throw new Failure(count === 1 ? 'one plugin warning was found' : `${count} plugin warnings were found`);
}

async function warningsOf(path: string, seen: Map<string, string>, terminal: Terminal): Promise<string[]> {
  const name = basename(path);
  const [earlier, command] = [seen.get(name), await existingCommand(name.split('-').slice(1), terminal)];
  if (earlier === undefined) seen.set(name, path);
  return [
    ...(isExecutable(path) ? [] : [`${path} identified as a kubectl plugin, but it is not executable`]),
    ...(earlier === undefined ? [] : [`${path} is overshadowed by a similarly named plugin: ${earlier}`]),
    ...(command === undefined ? [] : [`${name} overwrites existing command: ${JSON.stringify(command)}`]),
  ];
}

/** Path of our own command that the words of a plugin's name lead to. */
async function existingCommand(words: readonly string[], terminal: Terminal): Promise<string | undefined> {
  const root = new Command('knarr');
  const entry = commandIndex.find(({ name, aliases }) => name === words[0] || aliases?.includes(words[0] ?? ''));
  if (entry) (await entry.load()).register(root, new CommandHost(terminal));
  else addClusterCommands(root);
  let [command, path] = [root, root.name()];
  for (const word of words) {
    const child = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (!child) break;
    [command, path] = [child, `${path} ${child.name()}`];
  }
  return command === root ? undefined : path;
}

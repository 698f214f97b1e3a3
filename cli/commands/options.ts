import { Command } from 'commander';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { addGlobalFlags } from '../flags.js';
import { alignColumns } from '../printer/text-table.js';

export function register(program: Command, host: CommandHost): void {
  host.bind<object>(program.command('options').description('print the flags that every command takes'), runOptions);
}

function runOptions(context: CommandContext): Promise<void> {
  const flags = addGlobalFlags(new Command()).helpOption(false);
  const help = flags.createHelp();
  const rows = help.visibleOptions(flags).map((option) => [help.optionTerm(option), help.optionDescription(option)]);
  context.print('The following options can be passed to any command:\n');
  for (const line of alignColumns(rows)) context.print(`  ${line}`);
  return Promise.resolve();
}

import type { Command } from 'commander';
import { dryRunFlag, dryRunOf, type DryRun } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import { setUnschedulable } from '../node/cordon.js';

interface CordonFlags {
  selector?: string;
  dryRun: string;
}

export function register(program: Command, host: CommandHost): void {
  const add = (name: string, description: string, isUnschedulable: boolean): void => {
    const command = program
      .command(name)
      .description(description)
      .usage('NODE [flags]')
      .option('-l, --selector <query>', 'label selector')
      .addOption(dryRunFlag());
    host.bind<CordonFlags>(command, async (context, flags, { words }) => {
      const dryRun: DryRun = dryRunOf(flags.dryRun);
      await setUnschedulable(context, { words, selector: flags.selector }, { isUnschedulable, dryRun });
    });
  };
  add('cordon', 'mark a node as unschedulable', true);
  add('uncordon', 'mark a node as schedulable', false);
}

import type { Command } from 'commander';
import type { CommandHost } from '../command-host.js';
import { booleanFlag } from '../flags.js';
import { runTopNodes, runTopPods, type TopFlags } from '../top/top.js';

export function register(program: Command, host: CommandHost): void {
  const top = program.command('top').description('show the use of CPU and memory');
  const add = (name: string, aliases: string[], description: string): Command =>
    top
      .command(name)
      .aliases(aliases)
      .description(description)
      .usage('[NAME | -l label] [flags]')
      .option('-l, --selector <query>', 'label selector')
      .option('--sort-by <field>', 'cpu or memory')
      .addOption(booleanFlag('--no-headers', 'no line of headers'))
      .addOption(booleanFlag('--show-swap', 'with the use of swap memory'))
      .addOption(booleanFlag('--use-protocol-buffers', 'accepted for compatibility', true));
  const node = add('node', ['nodes', 'no'], 'of nodes').addOption(
    booleanFlag('--show-capacity', 'percentages of the capacity instead of what pods may use'),
  );
  host.bind<TopFlags>(node, runTopNodes);
  const pod = add('pod', ['pods', 'po'], 'of pods')
    .option('--field-selector <query>', 'field selector')
    .addOption(booleanFlag('-A, --all-namespaces', 'of all namespaces'))
    .addOption(booleanFlag('--containers', 'of each container'))
    .addOption(booleanFlag('--sum', 'a last line with the sum'));
  host.bind<TopFlags>(pod, runTopPods);
}

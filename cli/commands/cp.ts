import type { Command } from 'commander';
import type { CommandHost } from '../command-host.js';
import { runCopy, type CopyFlags } from '../copy/copy.js';
import { booleanFlag, integerFlag } from '../flags.js';

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('cp')
    .description('copy files and directories from and to containers (needs tar there)')
    .usage('<file-spec-src> <file-spec-dest> [flags]')
    .option('-c, --container <name>', 'container; default the annotated or the first one')
    .addOption(booleanFlag('--no-preserve', "do not keep the files' owner and permissions in the container"))
    .addOption(integerFlag('--retries <count>', 'accepted for compatibility', 0));
  host.bind<CopyFlags>(command, runCopy);
}

import type { Command } from 'commander';
import { runApply } from '../apply/apply.js';
import type { ApplyFlags } from '../apply/applying.js';
import type { CommandHost } from '../command-host.js';
import { addFileFlags, addWriteFlags } from '../command-flags.js';
import { registerEditLastApplied } from '../apply/edit-last-applied.js';
import { registerLastApplied } from '../apply/last-applied-commands.js';
import { durationFlag, arrayFlag, booleanFlag, integerFlag } from '../flags.js';

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('apply')
    .description('bring objects to the state of manifests, creating those that do not exist')
    .usage('(-f FILENAME | -f DIRECTORY | -f -) [flags]')
    .option('-l, --selector <query>', 'only objects of the manifests with these labels')
    .addOption(booleanFlag('--server-side', 'let the server merge, and track who owns which field'))
    .addOption(booleanFlag('--force-conflicts', 'with --server-side, take over fields that others own'))
    .addOption(booleanFlag('--force', 'delete and create again what cannot be changed in place'))
    .addOption(booleanFlag('--overwrite', 'the manifest wins over changes made in the cluster', true))
    .addOption(booleanFlag('--wait', 'with --force, wait until the old object is gone'))
    .addOption(integerFlag('--grace-period <seconds>', 'with --force, time for the old object to end', -1))
    .addOption(durationFlag('--timeout <duration>', 'with --force, how long to wait', '0s'));
  command
    .addOption(booleanFlag('--prune', 'delete what earlier applies made and the manifests no longer name'))
    .addOption(booleanFlag('--all', 'with --prune, of all objects of the types'))
    .addOption(arrayFlag('--prune-allowlist <group/version/kind>', 'with --prune, only these types; may be repeated'));
  addFileFlags(command);
  registerLastApplied(command, host);
  registerEditLastApplied(command, host);
  addWriteFlags(command);
  host.bind<ApplyFlags>(command, (context, flags, { words }) => runApply(context, flags, words));
}

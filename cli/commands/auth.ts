import type { Command } from 'commander';
import type { CommandHost } from '../command-host.js';
import { addFileFlags, dryRunFlag } from '../command-flags.js';
import { runCanI, type CanIFlags } from '../auth/can-i.js';
import { runReconcile, type ReconcileFlags } from '../auth/reconcile.js';
import { addPrintFlags } from '../print-flags.js';
import { runWhoAmI, type WhoAmIFlags } from '../auth/who-am-i.js';
import { booleanFlag } from '../flags.js';

export function register(program: Command, host: CommandHost): void {
  const auth = program.command('auth').description('ask what is allowed, and who we are');
  const canI = auth
    .command('can-i')
    .description('ask whether something is allowed')
    .usage('VERB [TYPE | TYPE/NAME | NONRESOURCEURL] [flags]')
    .option('--subresource <name>', 'such as log or scale')
    .addOption(booleanFlag('-A, --all-namespaces', 'in all namespaces'))
    .addOption(booleanFlag('-q, --quiet', 'only the exit code'))
    .addOption(booleanFlag('--list', 'print all that is allowed'))
    .addOption(booleanFlag('--no-headers', 'no line of headers'));
  host.bind<CanIFlags>(canI, runCanI);
  const whoAmI = auth.command('whoami').description('print who the server takes us for');
  host.bind<WhoAmIFlags>(addPrintFlags(whoAmI), (context, flags) => runWhoAmI(context, flags));
  const reconcile = auth
    .command('reconcile')
    .description('bring roles and bindings to the state of manifests, keeping what is more')
    .usage('-f FILENAME [flags]')
    .addOption(booleanFlag('--remove-extra-permissions', 'remove rules that the manifests do not name'))
    .addOption(booleanFlag('--remove-extra-subjects', 'remove subjects that the manifests do not name'))
    .addOption(dryRunFlag());
  addFileFlags(reconcile);
  host.bind<ReconcileFlags>(addPrintFlags(reconcile), (context, flags) => runReconcile(context, flags));
}

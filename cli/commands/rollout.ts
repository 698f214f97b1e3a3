import type { Command } from 'commander';
import { addFileFlags, dryRunFlag } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import { durationFlag, booleanFlag, integerFlag } from '../flags.js';
import { addPrintFlags } from '../print-flags.js';
import { runHistory, type HistoryFlags } from '../rollout/history.js';
import { runPause, runRestart, runResume, type ChangeFlags } from '../rollout/change.js';
import { runStatus, type StatusFlags } from '../rollout/status.js';
import { runUndo, type UndoFlags } from '../rollout/undo.js';

export function register(program: Command, host: CommandHost): void {
  const rollout = program.command('rollout').description('manage the rollout of a workload');
  const add = (name: string, description: string): Command => {
    const command = rollout.command(name).description(description).usage('(TYPE NAME | TYPE/NAME) [flags]');
    return addFileFlags(command.option('-l, --selector <query>', 'label selector'));
  };
  const status = add('status', 'show the state of the rollout, until it is done')
    .addOption(booleanFlag('-w, --watch', 'until the rollout is done', true))
    .addOption(integerFlag('--revision <number>', 'fail when another revision is being rolled out', 0))
    .addOption(durationFlag('--timeout <duration>', 'how long to watch; 0 = for ever', '0s'));
  host.bind<StatusFlags>(status, runStatus);
  const history = add('history', 'show revisions').addOption(
    integerFlag('--revision <number>', 'show the pod template of this revision', 0),
  );
  host.bind<HistoryFlags>(addPrintFlags(history), runHistory);
  const undo = add('undo', 'go back to an earlier revision')
    .addOption(integerFlag('--to-revision <number>', '0 = the one before', 0))
    .addOption(dryRunFlag());
  host.bind<UndoFlags>(addPrintFlags(undo), runUndo);
  const changing = (name: string, description: string): Command =>
    addPrintFlags(add(name, description)).option(
      '--field-manager <name>',
      'name under which the server notes the change',
      'kubectl-rollout',
    );
  host.bind<ChangeFlags>(changing('restart', 'replace all pods'), runRestart);
  host.bind<ChangeFlags>(changing('pause', 'stop rolling out changes'), runPause);
  host.bind<ChangeFlags>(changing('resume', 'go on rolling out changes'), runResume);
}

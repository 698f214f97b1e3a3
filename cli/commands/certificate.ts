import type { Command } from 'commander';
import { decideRequests, type Decision, type DecisionFlags } from '../certificate/decision.js';
import { addFileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import { booleanFlag } from '../flags.js';
import { addPrintFlags } from '../print-flags.js';

const decisions: readonly Decision[] = [
  { command: 'approve', type: 'Approved', opposite: 'Denied', done: 'approved' },
  { command: 'deny', type: 'Denied', opposite: 'Approved', done: 'denied' },
];

export function register(program: Command, host: CommandHost): void {
  const group = program.command('certificate').description('decide about certificate signing requests');
  for (const decision of decisions) {
    const { command: name, done } = decision;
    const command = group
      .command(name)
      .description(`${name} certificate signing requests`)
      .usage('(-f FILENAME | NAME) [flags]')
      .addOption(booleanFlag('--force', `send the decision even to a request that is ${done} already`));
    host.bind<DecisionFlags>(addPrintFlags(addFileFlags(command)), (context, flags, { words }) =>
      decideRequests(context, flags, words, decision),
    );
  }
}

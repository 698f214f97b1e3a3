import type { Command } from 'commander';
import { addFileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import { runDebug, type DebugFlags } from '../debug/debug.js';
import { booleanFlag, pairsFlag } from '../flags.js';

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('debug')
    .description('look into a pod or a node with a container of tools')
    .usage('(POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ] [flags]')
    .option('--image <image>', 'image of the container', '')
    .option('-c, --container <name>', 'its name; default debugger-XXXXX', '')
    .option('--target <container>', 'the container whose processes an ephemeral container sees', '')
    .option('--image-pull-policy <policy>', 'Always, IfNotPresent or Never', '')
    .option('--profile <name>', 'legacy, general, baseline, netadmin, restricted or sysadmin', 'general')
    .option('--custom <file>', 'JSON or YAML with part of a container that goes over the profile')
    .addOption(pairsFlag('--env <key=value>', 'environment variable; may be repeated'))
    .addOption(booleanFlag('--arguments-only', 'what is behind -- are arguments, not the command'))
    .addOption(booleanFlag('-i, --stdin', 'pass our input to the container'))
    .addOption(booleanFlag('-t, --tty', 'our input is a terminal'))
    .addOption(booleanFlag('--attach', 'wait for the container and attach to it; default: with -i').default(undefined))
    .addOption(booleanFlag('-q, --quiet', 'only the output of the container'));
  host.bind<DebugFlags>(addFileFlags(addCopyFlags(command)), runDebug);
}

function addCopyFlags(command: Command): Command {
  return command
    .option('--copy-to <name>', 'make a copy of the pod under this name', '')
    .addOption(pairsFlag('--set-image <container=image>', 'with --copy-to: other images; * for all'))
    .addOption(booleanFlag('--replace', 'with --copy-to: delete the original pod'))
    .addOption(booleanFlag('--same-node', 'with --copy-to: on the same node'))
    .addOption(
      booleanFlag('--share-processes', 'with --copy-to: containers see the processes of each other').default(undefined),
    )
    .addOption(booleanFlag('--keep-labels', 'with --copy-to: keep the labels'))
    .addOption(booleanFlag('--keep-annotations', 'with --copy-to: keep the annotations'))
    .addOption(booleanFlag('--keep-liveness', 'with --copy-to: keep the liveness probes'))
    .addOption(booleanFlag('--keep-readiness', 'with --copy-to: keep the readiness probes'))
    .addOption(booleanFlag('--keep-startup', 'with --copy-to: keep the startup probes'))
    .addOption(booleanFlag('--keep-init-containers', 'with --copy-to: run the init containers', true));
}

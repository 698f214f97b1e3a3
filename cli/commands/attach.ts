import type { Command } from 'commander';
import type { Pod } from '../../shared/api/generated/types.js';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { booleanFlag, durationFlag } from '../flags.js';
import { chooseContainer, onePodBehind } from '../streams/pod-target.js';
import { attachToPod } from '../streams/attachment.js';

interface AttachFlags {
  podRunningTimeout: string;
  container?: string;
  stdin: boolean;
  tty: boolean;
  quiet: boolean;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('attach')
    .description('attach to a running container')
    .usage('(POD | TYPE/NAME) [-c CONTAINER] [flags]')
    .option('-c, --container <name>', 'container; default the annotated or the first one')
    .addOption(durationFlag('--pod-running-timeout <duration>', 'how long to wait for a pod of a workload', '1m0s'))
    .addOption(booleanFlag('-i, --stdin', 'pass our input to the container'))
    .addOption(booleanFlag('-t, --tty', 'our input is a terminal'))
    .addOption(booleanFlag('-q, --quiet', 'only the output of the container'));
  host.bind<AttachFlags>(command, runAttach);
}

async function runAttach(
  context: CommandContext,
  flags: AttachFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (words.length === 0) throw new Failure('at least 1 argument is required for attach');
  const pod = await onePodBehind(context, words, flags);
  const name = attachable(pod, flags.container, flags.quiet ? () => undefined : (line) => context.tell(line));
  const container = pod.spec.containers.find((each) => each.name === name);
  if (flags.tty && !container?.tty && !flags.quiet)
    context.tell(`error: Unable to use a TTY - container ${name} did not allocate one`);
  await attachToPod(context, pod, { container: name, stdin: flags.stdin, quiet: flags.quiet });
}

function attachable(pod: Pod, name: string | undefined, tell: (line: string) => void): string {
  try {
    return chooseContainer(pod, name, tell);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(`cannot attach to the container: ${error.message}`);
  }
}

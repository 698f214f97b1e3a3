import type { Command } from 'commander';
import type { Pod } from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import type { Arguments, CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { ExitError } from '../failures.js';
import { booleanFlag, durationFlag, listFlag } from '../flags.js';
import { queryText } from '../server-api.js';
import { chooseContainer, onePodBehind } from '../streams/pod-target.js';
import { noTerminal, runRemoteCommand } from '../streams/remote-command.js';

interface ExecFlags {
  filename?: string[];
  podRunningTimeout: string;
  container?: string;
  stdin: boolean;
  tty: boolean;
  quiet: boolean;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('exec')
    .description('run a command in a container')
    .usage('(POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]')
    .option('-c, --container <name>', 'container; default the annotated or the first one')
    .addOption(listFlag('-f, --filename <file>', 'manifest of the pod, instead of its name'))
    .addOption(durationFlag('--pod-running-timeout <duration>', 'how long to wait for a pod of a workload', '1m0s'))
    .addOption(booleanFlag('-i, --stdin', 'pass our input to the command'))
    .addOption(booleanFlag('-t, --tty', 'our input is a terminal'))
    .addOption(booleanFlag('-q, --quiet', 'only the output of the command'));
  host.bind<ExecFlags>(command, runExec);
}

async function runExec(context: CommandContext, flags: ExecFlags, { words, dashAt }: Arguments): Promise<void> {
  const { filename } = flags;
  if (words.length === 0 && !filename) throw new Failure('pod, type/name or --filename must be specified');
  if (dashAt === undefined && words.length > (filename ? 0 : 1)) {
    throw new Failure(
      "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'knarr exec -h' for help and examples",
    );
  }
  const command = words.slice(dashAt ?? words.length);
  if (command.length === 0) throw new Failure('you must specify at least one command for the container');
  const { terminal } = context;
  const pod = await podOf(context, words, flags);
  const { phase } = pod.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') {
    throw new Failure(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  }
  const container = chooseContainer(pod, flags.container, flags.quiet ? () => undefined : (line) => context.tell(line));
  const isTty = flags.tty && flags.stdin && terminal.stdin.isTTY === true;
  if (flags.tty && flags.stdin && !isTty && !flags.quiet) context.tell(noTerminal);
  const mapper = await context.mapper();
  const path = resourcePath(mapper.resolve('pods'), pod.metadata.namespace, pod.metadata.name, 'exec');
  const options = {
    container,
    stdin: flags.stdin || undefined,
    stdout: true,
    stderr: !isTty || undefined,
    tty: isTty || undefined,
  };
  const query = `${queryText(options)}&${command.map((word) => `command=${encodeURIComponent(word)}`).join('&')}`;
  const client = await context.client();
  const exitCode = await runRemoteCommand({ client, path: path + query, withStdin: flags.stdin, isTty }, terminal);
  if (exitCode === 0) return;
  context.tell(`command terminated with exit code ${exitCode}`);
  throw new ExitError(exitCode);
}

/** A manifest is taken at its word: that there is no such pod is told by what comes next. */
async function podOf(context: CommandContext, words: readonly string[], flags: ExecFlags): Promise<Pod> {
  if (!flags.filename) return onePodBehind(context, words.slice(0, 1), flags);
  try {
    return await onePodBehind(context, [], flags);
  } catch (error) {
    if (!isNotFound(error) || !(error instanceof Error)) throw error;
    throw new Failure(`unable to upgrade connection: ${error.message}`);
  }
}

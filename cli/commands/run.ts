import type { Command } from 'commander';
import type { ContainerStateTerminated, EnvVar, Pod } from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import { Failure } from '../cluster/failure.js';
import { addWriteFlags, dryRunOf, type WriteFlags } from '../command-flags.js';
import type { Arguments, CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { createGenerated } from '../create/create.js';
import { isImageReference } from '../debug/image-reference.js';
import { keyValues, oneName } from '../create/generator.js';
import { ExitError } from '../failures.js';
import { arrayFlag, booleanFlag, durationFlag } from '../flags.js';
import { observe, WaitTimeout } from '../observation.js';
import { addOverrideFlags, overridden, type OverrideFlags } from '../overrides.js';
import type { AnyObject } from '../server-api.js';
import { attachToPod } from '../streams/attachment.js';
import { exposingService } from './expose.js';

export interface RunFlags extends OverrideFlags {
  saveConfig: boolean;
  image?: string;
  imagePullPolicy?: string;
  port?: string;
  labels?: string;
  annotations?: string[];
  env?: string[];
  restart: string;
  command: boolean;
  expose: boolean;
  privileged: boolean;
  stdin: boolean;
  tty: boolean;
  attach: boolean;
  rm: boolean;
  quiet: boolean;
  podRunningTimeout: string;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('run')
    .description('run an image in a pod')
    .usage(
      'NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...] [flags]',
    )
    .option('--image <image>', 'image of the container')
    .option('--image-pull-policy <policy>', 'Always, IfNotPresent or Never')
    .option('-l, --labels <labels>', 'labels of the pod')
    .option('--restart <policy>', 'Always, OnFailure or Never', 'Always')
    .addOption(durationFlag('--pod-running-timeout <duration>', 'how long to wait until the pod runs', '1m0s'))
    .option('--port <port>', 'port of the container')
    .addOption(arrayFlag('--env <key=value>', 'environment variable; may be repeated'))
    .addOption(arrayFlag('--annotations <key=value>', 'annotation; may be repeated'))
    .addOption(booleanFlag('--command', 'what is behind -- is the command, not its arguments'))
    .addOption(booleanFlag('--expose', 'make a Service for --port too'))
    .addOption(booleanFlag('--privileged', 'run the container privileged'))
    .addOption(booleanFlag('-i, --stdin', 'pass our input to the container'))
    .addOption(booleanFlag('-t, --tty', 'our input is a terminal'))
    .addOption(booleanFlag('--attach', 'wait for the pod and attach to it'))
    .addOption(booleanFlag('--rm', 'delete the pod when we are done'))
    .addOption(booleanFlag('-q, --quiet', 'only the output of the container'));
  host.bind<RunFlags & WriteFlags>(
    addOverrideFlags(
      addWriteFlags(command).addOption(booleanFlag('--save-config', 'note the manifest for a later apply')),
    ),
    runRun,
  );
}

async function runRun(
  context: CommandContext,
  flags: RunFlags & WriteFlags,
  { words, dashAt }: Arguments,
): Promise<void> {
  const at = dashAt ?? words.length;
  // As with kubectl, words behind the name are arguments even without `--`.
  const [name, ...rest] = words.slice(0, at);
  if (flags.image === undefined) throw new Failure('required flag(s) "image" not set');
  if (name === undefined) throw new Failure("NAME is required for run\nSee 'knarr run -h' for help and examples");
  const isAttaching = flags.attach || flags.stdin;
  checkFlags(flags, isAttaching);
  const pod = podObject(name, flags, [...rest, ...words.slice(at)]);
  const options = { fieldManager: 'kubectl-run', isPlainError: true };
  const write = flags;
  if (flags.expose) {
    const mapper = await context.mapper();
    const target = { type: mapper.resolve('pods'), name, namespace: undefined, object: pod };
    const { labels: _, ...metadata } = pod.metadata;
    const service = exposingService(target, { saveConfig: false });
    await createGenerated(context, write, { ...service, metadata }, options);
    // Both of kubectl's writers divide the documents.
    if (flags.output === 'yaml') context.print('---\n---');
  }
  if (!isAttaching) {
    await createGenerated(context, write, pod, options);
    return;
  }
  await runAttached(context, flags, pod);
}

/** In the order in which kubectl looks. @throws Failure */
function checkFlags(flags: RunFlags & WriteFlags, isAttaching: boolean): void {
  const misused = (why: string): Failure => new Failure(`${why}\nSee 'knarr run -h' for help and examples`);
  const { image = '', imagePullPolicy = '', restart } = flags;
  if (!isImageReference(image))
    throw new Failure(`Invalid image name ${JSON.stringify(image)}: invalid reference format`);
  if (flags.tty && !flags.stdin) throw misused('-i/--stdin is required for containers with -t/--tty=true');
  if (flags.expose && flags.port === undefined) throw misused('--port must be set when exposing a service');
  if (!['Always', 'OnFailure', 'Never'].includes(restart)) throw misused(`invalid restart policy: ${restart}`);
  if (flags.rm && !isAttaching) throw misused('--rm should only be used for attached containers');
  if (isAttaching && dryRunOf(flags.dryRun) !== 'none')
    throw misused(
      "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
    );
  if (!['', 'Always', 'IfNotPresent', 'Never'].includes(imagePullPolicy))
    throw misused(`invalid image pull policy: ${imagePullPolicy}`);
}

function envOf(texts: readonly string[]): EnvVar[] {
  return texts.map((text) => {
    const at = text.indexOf('=');
    if (at <= 0) throw new Failure(`invalid env: ${text}`);
    return { name: text.slice(0, at), value: text.slice(at + 1) };
  });
}

/** The pod that `run` makes. */
function podObject(name: string, flags: RunFlags, command: readonly string[]): AnyObject {
  oneName([name], 'run');
  const labels = flags.labels === undefined ? { run: name } : keyValues(flags.labels.split(','), 'label');
  const container = {
    ...(command.length > 0 ? { [flags.command ? 'command' : 'args']: command } : {}),
    ...(flags.env ? { env: envOf(flags.env) } : {}),
    image: flags.image,
    ...(flags.imagePullPolicy ? { imagePullPolicy: flags.imagePullPolicy } : {}),
    name,
    ...(flags.port === undefined ? {} : { ports: [{ containerPort: portNumber(flags.port) }] }),
    resources: {},
    ...(flags.privileged ? { securityContext: { privileged: true } } : {}),
    ...(flags.stdin ? { stdin: true, stdinOnce: true } : {}),
    ...(flags.tty ? { tty: true } : {}),
  };
  const pod: AnyObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(flags.annotations ? { annotations: keyValues(flags.annotations, 'annotation') } : {}),
      labels,
      name,
    },
    spec: { containers: [container], dnsPolicy: 'ClusterFirst', restartPolicy: flags.restart },
    status: {},
  };
  return overridden(pod, flags);
}

function portNumber(text: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw new Failure(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

async function runAttached(context: CommandContext, flags: RunFlags & WriteFlags, pod: AnyObject): Promise<void> {
  const [api, mapper, namespace] = await Promise.all([context.api(), context.mapper(), context.namespace()]);
  const type = mapper.resolve('pods');
  const query = { fieldManager: 'kubectl-run' };
  const created = await api.json({ method: 'POST', path: resourcePath(type, namespace), query, body: pod });
  const name = created.metadata.name ?? '';
  const reference = { type, name, namespace };
  let end: Partial<ContainerStateTerminated> | undefined;
  try {
    const running = await started(context, reference, flags);
    if (running.status?.phase !== 'Running') await printLog(context, running);
    else await attachOrPrintLog(context, flags, running);
    if (flags.restart !== 'Always') end = await failedEnd(context, reference);
  } finally {
    if (flags.rm) {
      await api.json({ method: 'DELETE', path: resourcePath(type, namespace, name) });
      if (!flags.quiet) context.print(`pod "${name}" deleted from ${namespace} namespace`);
    }
  }
  if (!end) return;
  context.tell(`pod ${namespace}/${name} terminated (${end.reason ?? ''})\n${end.message ?? ''}`.trimEnd());
  throw new ExitError(end.exitCode ?? 1);
}

async function printLog(context: CommandContext, { metadata: { name, namespace } }: Pod): Promise<void> {
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const path = resourcePath(mapper.resolve('pods'), namespace, name, 'log');
  context.terminal.stdout.write(await api.text({ path }));
}

/** A container may have ended before it can be attached to: its log tells what it said. */
async function attachOrPrintLog(context: CommandContext, flags: RunFlags, pod: Pod): Promise<void> {
  const { stdin, quiet } = flags;
  try {
    await attachToPod(context, pod, { container: pod.spec.containers[0]?.name ?? '', stdin, quiet });
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof ExitError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    context.tell(`warning: couldn't attach to pod/${pod.metadata.name}, falling back to streaming logs: ${reason}`);
    await printLog(context, pod);
  }
}

type Reference = Parameters<typeof observe>[1];

async function started(context: CommandContext, reference: Reference, flags: RunFlags): Promise<Pod> {
  try {
    for await (const object of observe(context, reference, parseDuration(flags.podRunningTimeout))) {
      const pod = object as unknown as Pod | undefined;
      if (!pod) throw new Failure(`pods "${reference.name}" not found`);
      const phase = pod.status?.phase;
      if (phase === 'Running' || phase === 'Succeeded' || phase === 'Failed') return pod;
    }
  } catch (error) {
    if (error instanceof WaitTimeout) throw new Failure('timed out waiting for the condition');
    throw error;
  }
  throw new Failure('timed out waiting for the condition');
}

/** How the pod's first container ended, once the pod has failed; undefined when all went well. */
async function failedEnd(
  context: CommandContext,
  reference: Reference,
): Promise<Partial<ContainerStateTerminated> | undefined> {
  for await (const object of observe(context, reference, 0)) {
    const pod = object as unknown as Pod | undefined;
    if (!pod || pod.status?.phase === 'Succeeded') return undefined;
    const state = pod.status?.containerStatuses?.[0]?.state?.terminated;
    if (pod.status?.phase === 'Failed') return state ?? {};
  }
  return undefined;
}

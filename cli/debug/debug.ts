import type { ContainerState, Pod } from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import { Failure } from '../cluster/failure.js';
import type { FileFlags } from '../command-flags.js';
import type { Arguments } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { ExitError } from '../failures.js';
import { findObjects, type FoundObject } from '../found-objects.js';
import { observe } from '../observation.js';
import { TypeTables } from '../type-tables.js';
import { attachToPod } from '../streams/attachment.js';
import { containerNames } from '../streams/pod-target.js';
import { readCustomProfile } from './custom-profile.js';
import { isImageReference } from './image-reference.js';
import { ephemeralContainer, nodePod, podCopy, type DebugRequest } from './plan.js';
import { profileOf, type Kept } from './profile.js';

export interface DebugFlags extends FileFlags, Kept {
  profile: string;
  custom?: string;
  image: string;
  imagePullPolicy: string;
  container: string;
  target: string;
  env: Record<string, string>;
  argumentsOnly: boolean;
  stdin: boolean;
  tty: boolean;
  attach?: boolean;
  quiet: boolean;
  copyTo: string;
  setImage: Record<string, string>;
  replace: boolean;
  sameNode: boolean;
  shareProcesses?: boolean;
}

export async function runDebug(
  context: CommandContext,
  flags: DebugFlags,
  { words, dashAt }: Arguments,
): Promise<void> {
  const at = dashAt ?? words.length;
  const targets = words.slice(0, at);
  const request = requestOf(flags, words.slice(at));
  check(flags, request, targets);
  if (flags.target !== '' && !flags.quiet) {
    context.print(
      `Targeting container "${flags.target}". If you don't see processes from this container it may be because the container runtime doesn't support this feature.`,
    );
  }
  if (flags.tty && !flags.stdin) throw new Failure('-i/--stdin is required for containers with -t/--tty=true');
  if (request.profile === 'legacy') context.tell(legacyIsDeprecated);
  const query = { files: flags.filename, isRecursive: flags.recursive, defaultType: 'pods' };
  const { found, errors } = await findObjects(context, { ...query, words: targets.map(withType) });
  for (const target of found) await debugOne(context, flags, request, target);
  if (errors.length > 0) throw errors[0];
}

const withType = (word: string): string => (word.includes('/') ? word : `pods/${word}`);

const legacyIsDeprecated =
  '--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, for example "--profile=general".';

function requestOf(flags: DebugFlags, args: readonly string[]): DebugRequest {
  const given = (text: string): string | undefined => (text === '' ? undefined : text);
  return {
    ...flags,
    profile: profileOf(flags.profile),
    custom: flags.custom ? readCustomProfile(flags.custom, new TypeTables()) : undefined,
    image: given(flags.image),
    imagePullPolicy: given(flags.imagePullPolicy),
    container: given(flags.container),
    target: given(flags.target),
    env: Object.entries(flags.env).map(([name, value]) => ({ name, value })),
    args,
    copyTo: given(flags.copyTo),
    shareProcesses: flags.shareProcesses,
  };
}

/** In the order in which kubectl looks. @throws Failure */
function check(flags: DebugFlags, request: DebugRequest, targets: readonly string[]): void {
  const { image, container, copyTo, args, setImage } = request;
  if (flags.attach && image === undefined && container === undefined) {
    throw new Failure('you must specify --container or create a new container using --image in order to attach.');
  }
  const changesImages = Object.keys(setImage).length > 0;
  if (copyTo === undefined) checkWithoutCopy(flags, changesImages);
  else if (image === undefined && !changesImages && args.length === 0) {
    throw new Failure('you must specify --image, --set-image or command arguments.');
  } else if (args.length > 0 && container === undefined && image === undefined) {
    throw new Failure('you must specify an existing container or a new image when specifying args.');
  }
  if (image !== undefined && !isImageReference(image)) {
    throw new Failure(`invalid image name ${JSON.stringify(image)}: invalid reference format`);
  }
  if (targets.length === 0 && !flags.filename) throw new Failure('NAME or filename is required for debug');
  if (!['Always', 'IfNotPresent', 'Never', ''].includes(flags.imagePullPolicy)) {
    throw new Failure(`invalid image pull policy: ${flags.imagePullPolicy}`);
  }
  for (const [name, text] of Object.entries(setImage)) {
    if (isImageReference(text)) continue;
    const [shown, of] = [JSON.stringify(text), JSON.stringify(name)];
    throw new Failure(`invalid image name ${shown} for container ${of}: invalid reference format`);
  }
  if (flags.target !== '' && copyTo !== undefined) {
    throw new Failure('--target is incompatible with --copy-to. Use --share-processes instead.');
  }
}

function checkWithoutCopy(flags: DebugFlags, changesImages: boolean): void {
  const only = (flag: string): Failure => new Failure(`--${flag} may only be used with --copy-to.`);
  if (flags.replace) throw only('replace');
  if (flags.sameNode) throw only('same-node');
  if (changesImages) throw only('set-image');
  if (flags.image === '') throw new Failure('you must specify --image when not using --copy-to.');
}

async function debugOne(
  context: CommandContext,
  flags: DebugFlags,
  request: DebugRequest,
  target: FoundObject,
): Promise<void> {
  const { type } = target;
  const debug =
    type.group !== '' ? undefined : type.kind === 'Pod' ? debugPod : type.kind === 'Node' ? debugNode : undefined;
  if (!debug) {
    throw new Failure(`"${type.group}/${type.version}, Kind=${type.kind}" not supported by debug`);
  }
  const { pod, container } = await debug(context, flags, request, target);
  if ((flags.attach ?? flags.stdin) && container !== undefined) await follow(context, flags, pod, container);
}

interface Debugged {
  readonly pod: Pod;
  readonly container: string | undefined;
}

const query = { fieldManager: 'kubectl-debug' };

async function debugNode(
  context: CommandContext,
  flags: DebugFlags,
  request: DebugRequest,
  { name: node }: FoundObject,
): Promise<Debugged> {
  const pod = nodePod(`node-debugger-${node}-${randomSuffix()}`, node, request);
  const container = pod.spec.containers[0]?.name ?? '';
  const [api, mapper, namespace] = await Promise.all([context.api(), context.mapper(), context.namespace()]);
  const path = resourcePath(mapper.resolve('pods'), namespace);
  const created = await api.json<Pod>({ method: 'POST', path, query, body: pod });
  if (!flags.quiet) {
    context.print(`Creating debugging pod ${created.metadata.name} with container ${container} on node ${node}.`);
  }
  return { pod: created, container };
}

async function debugPod(
  context: CommandContext,
  flags: DebugFlags,
  request: DebugRequest,
  target: FoundObject,
): Promise<Debugged> {
  const original = target.object as unknown as Pod;
  const newName = (): string => {
    const name = freeName(containerNames(original));
    if (!flags.quiet) context.print(`Defaulting debug container name to ${name}.`);
    return name;
  };
  if (request.copyTo !== undefined) return copyPod(context, flags, { target, ...podCopy(original, request, newName) });
  const container = request.container ?? newName();
  const before = (original.spec.ephemeralContainers ?? []).map(({ name }) => name);
  if (before.includes(container)) {
    throw new Failure(
      `pod "${target.name}" already has an ephemeral container "${container}", which may not be changed`,
    );
  }
  const api = await context.api();
  const pod = await api.json<Pod>({
    method: 'PATCH',
    path: resourcePath(target.type, target.namespace, target.name, 'ephemeralcontainers'),
    query,
    contentType: 'application/strategic-merge-patch+json',
    body: {
      spec: {
        '$setElementOrder/ephemeralContainers': [...before, container].map((name) => ({ name })),
        ephemeralContainers: [ephemeralContainer(container, request)],
      },
    },
  });
  return { pod, container };
}

async function copyPod(
  context: CommandContext,
  { replace }: DebugFlags,
  { target, pod: copy, container }: Debugged & { readonly target: FoundObject },
): Promise<Debugged> {
  const api = await context.api();
  const path = resourcePath(target.type, target.namespace);
  const pod = await api.json<Pod>({ method: 'POST', path, query, body: copy });
  if (replace) {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 };
    await api.json({ method: 'DELETE', path: resourcePath(target.type, target.namespace, target.name), body });
  }
  return { pod, container };
}

/** Attaches once the container runs; of one that has ended its log tells what it said. */
async function follow(context: CommandContext, flags: DebugFlags, pod: Pod, container: string): Promise<void> {
  const { name, namespace } = pod.metadata;
  const type = (await context.mapper()).resolve('pods');
  for await (const object of observe(context, { type, name: name ?? '', namespace }, 0)) {
    const now = object as unknown as Pod | undefined;
    if (!now) throw new Failure(`pods "${name}" not found`);
    const state = stateOf(now, container);
    if (state?.terminated) return printLog(context, now, container);
    if (state?.running) return attachOrPrintLog(context, flags, now, container);
    const why = state?.waiting?.message;
    if (why && !flags.quiet) context.tell(`Warning: container ${container}: ${why}`);
  }
}

function stateOf({ status }: Pod, container: string): ContainerState | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = status ?? {};
  const all = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
  return all.find(({ name }) => name === container)?.state;
}

async function attachOrPrintLog(
  context: CommandContext,
  flags: DebugFlags,
  pod: Pod,
  container: string,
): Promise<void> {
  const { stdin, quiet } = flags;
  try {
    await attachToPod(context, pod, { container, stdin, quiet });
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof ExitError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    context.tell(`warning: couldn't attach to pod/${pod.metadata.name}, falling back to streaming logs: ${reason}`);
    await printLog(context, pod, container);
  }
}

async function printLog(context: CommandContext, { metadata }: Pod, container: string): Promise<void> {
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const path = resourcePath(mapper.resolve('pods'), metadata.namespace, metadata.name, 'log');
  context.terminal.stdout.write(await api.text({ path, query: { container } }));
}

const letters = 'bcdfghjklmnpqrstvwxz2456789';

const randomSuffix = (): string =>
  Array.from({ length: 5 }, () => letters[Math.floor(Math.random() * letters.length)] ?? 'x').join('');

function freeName(taken: readonly string[]): string {
  for (;;) {
    const name = `debugger-${randomSuffix()}`;
    if (!taken.includes(name)) return name;
  }
}

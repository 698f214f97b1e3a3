import type { CommandContext } from '../context.js';
import { listObjects } from '../found-objects.js';
import { mergedKubeconfig } from '../kubeconfig.js';
import { groupResource } from '../resource-mapper.js';

/** What a shell shall do with candidates; the numbers are those of cobra, which shells know from kubectl. */
export const directive = { default: 0, noSpace: 2, noFiles: 4, extensions: 8 } as const;

export interface Completion {
  readonly values: readonly string[];
  /** Sum of directives. */
  readonly directive: number;
}

/** How words of a command are completed, given those in front of it and what is there of it. */
export type Completer = (context: CommandContext, before: readonly string[], word: string) => Promise<Completion>;

const files: Completion = { values: [], directive: directive.default };
const only = (values: readonly string[]): Completion => ({ values, directive: directive.noFiles });
export const nothing: Completion = only([]);

/** Types of the server that can be read, as `api-resources -o name` lists them. */
async function types(context: CommandContext): Promise<string[]> {
  const readable = (await context.mapper()).preferred().filter(({ verbs }) => verbs.includes('get'));
  const sorted = readable.toSorted((a, b) => compare(a.group, b.group) || compare(a.resource, b.resource));
  return sorted.map(groupResource);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

async function names(context: CommandContext, typeName: string, taken: readonly string[] = []): Promise<string[]> {
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const type = mapper.find(typeName);
  if (!type) return [];
  const namespace = type.namespaced ? await context.namespace() : undefined;
  const found = await listObjects(api, type, { namespace });
  return found.map(({ name }) => name).filter((name) => !taken.includes(name));
}

/** `TYPE NAME...` and `TYPE/NAME...`, of all types or of some. */
function typeAndNames(allowed?: readonly string[]): Completer {
  return async (context, before, word) => {
    const [first] = before;
    if (word.includes('/')) return only(await namesBehindSlash(context, before, word));
    if (first === undefined) {
      const comma = word.lastIndexOf(',') + 1;
      return only((allowed ?? (await types(context))).map((type) => word.slice(0, comma) + type));
    }
    if (!first.includes('/')) return only(await names(context, first, before.slice(1)));
    const all = (allowed ?? (await types(context))).map((type) => `${type}/`);
    return { values: all, directive: directive.noFiles + directive.noSpace };
  };
}

async function namesBehindSlash(context: CommandContext, before: readonly string[], word: string): Promise<string[]> {
  const type = word.slice(0, word.indexOf('/'));
  const all = await names(context, type);
  return all.map((name) => `${type}/${name}`).filter((value) => !before.includes(value));
}

/** Types whose objects have pods, as `exec`, `logs` and the like take them. */
const withPods = [
  'daemonsets/',
  'deployments/',
  'pods/',
  'jobs/',
  'replicasets/',
  'replicationcontrollers/',
  'services/',
  'statefulsets/',
];

async function podOrOwner(context: CommandContext, word: string): Promise<Completion> {
  if (word.includes('/')) return only(await namesBehindSlash(context, [], word));
  const pods = (await names(context, 'pods')).filter((name) => name.startsWith(word));
  const noSpace = pods.length === 0 ? directive.noSpace : 0;
  return { values: [...pods, ...withPods], directive: directive.noFiles + noSpace };
}

const onePod: Completer = (context, before, word) =>
  before.length > 0 ? Promise.resolve(nothing) : podOrOwner(context, word);

const podThenContainer: Completer = async (context, before, word) => {
  const [pod, ...more] = before;
  if (pod === undefined) return podOrOwner(context, word);
  return more.length > 0 ? nothing : only(await containers(context, pod));
};

/** Containers of a pod, init and ephemeral ones too. */
async function containers(context: CommandContext, word: string): Promise<string[]> {
  const { podsBehind, containerNames } = await import('../streams/pod-target.js');
  const { pods } = await podsBehind(context, [word], { podRunningTimeout: '0s' });
  return pods[0] ? containerNames(pods[0]) : [];
}

const namesOf =
  (type: string): Completer =>
  async (context, before) =>
    only(await names(context, type, before));

/** Paths here, `POD:` and `NAMESPACE/POD:`. */
const copy: Completer = async (context, before, word) => {
  if (before.length > 1 || word.includes(':') || before.some((each) => each.includes(':'))) {
    return { values: [], directive: directive.noSpace };
  }
  const at = word.indexOf('/');
  if (at > 0) {
    const namespace = word.slice(0, at);
    const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
    const pods = await listObjects(api, mapper.resolve('pods'), { namespace });
    return { values: pods.map(({ name }) => `${namespace}/${name}:`), directive: directive.noSpace };
  }
  const [namespaces, pods] = await Promise.all([names(context, 'namespaces'), names(context, 'pods')]);
  const remote = [...namespaces.map((name) => `${name}/`), ...pods.map((name) => `${name}:`)];
  return { values: [...remote, ...(word === '' ? ['./', '/'] : [])], directive: directive.noSpace };
};

/** Names of a list of the kubeconfig. */
async function configNames(
  { flags, terminal }: CommandContext,
  list: 'contexts' | 'clusters' | 'users',
): Promise<string[]> {
  const config = await mergedKubeconfig(flags.kubeconfig, terminal.env);
  return (config[list] ?? []).map(({ name }) => name).sort();
}

const oneOf =
  (list: 'contexts' | 'clusters' | 'users'): Completer =>
  async (context, before) =>
    before.length > 0 ? nothing : only(await configNames(context, list));

const rollingTypes = ['deployment', 'daemonset', 'statefulset'];
const scaledTypes = ['deployment', 'replicaset', 'replicationcontroller', 'statefulset'];
const imageTypes = [
  'daemonsets',
  'deployments',
  'pods',
  'cronjobs',
  'replicasets',
  'replicationcontrollers',
  'statefulsets',
];
const shells = ['powershell', 'bash', 'zsh', 'fish'];

/** How the words of each command are completed; those of all others are files. */
const completers: Readonly<Record<string, Completer>> = {
  get: typeAndNames(),
  describe: typeAndNames(),
  delete: typeAndNames(),
  edit: typeAndNames(),
  patch: typeAndNames(),
  label: typeAndNames(),
  annotate: typeAndNames(),
  debug: typeAndNames(),
  explain: async (context, before) => (before.length > 0 ? nothing : only(await types(context))),
  wait: typeAndNames(),
  'rollout history': typeAndNames(rollingTypes),
  'rollout undo': typeAndNames(rollingTypes),
  'rollout status': typeAndNames(rollingTypes),
  'rollout restart': typeAndNames(rollingTypes),
  'rollout pause': typeAndNames(['deployment']),
  'rollout resume': typeAndNames(['deployment']),
  scale: typeAndNames(scaledTypes),
  autoscale: typeAndNames(scaledTypes),
  expose: typeAndNames(['pod', 'service', 'replicationcontroller', 'deployment', 'replicaset']),
  taint: typeAndNames(['node']),
  'set image': typeAndNames(imageTypes),
  logs: podThenContainer,
  exec: onePod,
  attach: onePod,
  'port-forward': onePod,
  cp: copy,
  'top pod': (context, before) => (before.length > 0 ? Promise.resolve(nothing) : namesOf('pods')(context, before, '')),
  'top node': (context, before) =>
    before.length > 0 ? Promise.resolve(nothing) : namesOf('nodes')(context, before, ''),
  cordon: namesOf('nodes'),
  uncordon: namesOf('nodes'),
  drain: namesOf('nodes'),
  'config use-context': oneOf('contexts'),
  'config delete-context': oneOf('contexts'),
  'config set-context': oneOf('contexts'),
  'config rename-context': oneOf('contexts'),
  'config delete-cluster': oneOf('clusters'),
  'config delete-user': oneOf('users'),
  completion: (_context, before) => Promise.resolve(before.length > 0 ? nothing : only(shells)),
};

/** Completes a word of a command such as `rollout undo`. */
export const completeArgument = (
  path: string,
  context: CommandContext,
  before: readonly string[],
  word: string,
): Promise<Completion> => completers[path]?.(context, before, word) ?? Promise.resolve(files);

/** Completes the value of a flag. */
export async function completeFlag(
  name: string,
  context: CommandContext,
  { path, operands }: { readonly path: string; readonly operands: readonly string[] },
): Promise<Completion> {
  switch (name) {
    case 'namespace':
      return only(await names(context, 'namespaces'));
    case 'context':
      return only(await configNames(context, 'contexts'));
    case 'cluster':
      return only(await configNames(context, 'clusters'));
    case 'user':
      return path.startsWith('create ') ? files : only(await configNames(context, 'users'));
    case 'container':
      return operands[0] === undefined ? nothing : only(await containers(context, operands[0]));
    case 'filename':
      return { values: ['json', 'yaml', 'yml'], directive: directive.extensions };
    case 'output':
      return path === 'get' ? only(formats) : files;
    case 'profile':
      return only(['general', 'baseline', 'restricted', 'netadmin', 'sysadmin', 'legacy']);
    case 'dryRun':
      return only(['none', 'client', 'server']);
    default:
      return files;
  }
}

const formats = [
  'json',
  'yaml',
  'kyaml',
  'name',
  'go-template',
  'go-template-file',
  'template',
  'templatefile',
  'jsonpath',
  'jsonpath-as-json',
  'jsonpath-file',
  'custom-columns',
  'custom-columns-file',
  'wide',
];

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Pod } from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { CommandContext } from '../context.js';
import { listObjects } from '../found-objects.js';
import type { PrintFlags } from '../print-flags.js';
import { isTemplate, objectPrinter } from '../printer/object-printer.js';
import type { AnyObject } from '../server-api.js';

export interface DumpFlags extends PrintFlags {
  namespaces?: string[];
  allNamespaces: boolean;
  outputDirectory: string;
}

/** What is dumped of each namespace: the resource, and the file that it goes to. */
const dumped: readonly (readonly [resource: string, file: string])[] = [
  ['events', 'events'],
  ['replicationcontrollers', 'replication-controllers'],
  ['services', 'services'],
  ['daemonsets.apps', 'daemonsets'],
  ['deployments.apps', 'deployments'],
  ['replicasets.apps', 'replicasets'],
  ['pods', 'pods'],
];

/** Takes what is written: to standard output, or to a file of the folder. */
type Write = (file: string, text: string) => void;

/** Nodes, what runs in the namespaces, and all logs. */
export async function runDump(context: CommandContext, flags: DumpFlags): Promise<void> {
  const { output = 'json', template, showManagedFields, allowMissingTemplateKeys: allowsMissing } = flags;
  const printer = objectPrinter(output, { template, showManagedFields, allowsMissing });
  const folder = flags.outputDirectory === '-' ? '' : flags.outputDirectory;
  const write = folder === '' ? toTerminal(context) : toFolder(folder);
  const ending = output === 'json' || output === 'yaml' ? `.${output}` : '.txt';
  const print = async (file: string, list: AnyObject): Promise<void> => {
    const text = (await printer?.(list, true)) ?? '';
    write(file + ending, isTemplate(output) ? text : `${text}\n`);
  };
  await print('nodes', await listOf(context, 'nodes', undefined));
  for (const namespace of await namespacesOf(context, flags)) {
    let pods: readonly Pod[] = [];
    for (const [resource, file] of dumped) {
      const list = await listOf(context, resource, namespace);
      await print(join(namespace, file), list);
      if (resource === 'pods') pods = list['items'] as Pod[];
    }
    for (const pod of pods) write(join(namespace, pod.metadata.name, 'logs.txt'), await logsOf(context, pod));
  }
  if (folder !== '') context.print(`Cluster info dumped to ${folder}`);
}

const toTerminal =
  ({ terminal }: CommandContext): Write =>
  (_file, text) =>
    void terminal.stdout.write(text);

const toFolder =
  (folder: string): Write =>
  (file, text) => {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };

async function namespacesOf(context: CommandContext, flags: DumpFlags): Promise<readonly string[]> {
  if (!flags.allNamespaces) return flags.namespaces ?? ['kube-system', await context.namespace()];
  const list = await listOf(context, 'namespaces', undefined);
  return (list['items'] as AnyObject[]).map(({ metadata }) => metadata.name ?? '');
}

async function listOf(context: CommandContext, resource: string, namespace: string | undefined): Promise<AnyObject> {
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const type = mapper.resolve(resource);
  const items = (await listObjects(api, type, { namespace })).map(({ object }) => object);
  return { apiVersion: type.apiVersion, items, kind: `${type.kind}List`, metadata: {} };
}

/** The logs of all containers of a pod, each between its lines. */
async function logsOf(context: CommandContext, { metadata, spec }: Pod): Promise<string> {
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const path = resourcePath(mapper.resolve('pods'), metadata.namespace, metadata.name, 'log');
  let text = '';
  for (const { name } of [...(spec.initContainers ?? []), ...spec.containers]) {
    const of = `logs for container ${name} of pod ${metadata.namespace ?? ''}/${metadata.name} ====\n`;
    const log = await api.text({ path, query: { container: name } }).catch((error: unknown) => {
      if (!(error instanceof StatusError)) throw error;
      return `Request log error: ${error.message}\n`;
    });
    text += `==== START ${of}${log}==== END ${of}`;
  }
  return text;
}

import type { Command } from 'commander';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { booleanFlag } from '../flags.js';
import { listObjects } from '../found-objects.js';
import { goJson } from '../printer/json.js';
import { withoutManagedFields } from '../printer/object-printer.js';

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('cluster-info')
    .description('print the addresses of the control plane and of its Services');
  host.bind<object>(command, runClusterInfo);
  const dump = command
    .command('dump')
    .description('print what is needed to find out what is wrong, as JSON')
    .option('--namespaces <names>', 'namespaces, separated by commas; default the current one and kube-system')
    .addOption(booleanFlag('-A, --all-namespaces', 'of all namespaces'));
  host.bind<DumpFlags>(dump, runDump);
}

interface DumpFlags {
  namespaces?: string;
  allNamespaces: boolean;
}

const dumped = [
  'events',
  'replicationcontrollers',
  'services',
  'daemonsets.apps',
  'deployments.apps',
  'replicasets.apps',
  'pods',
];

async function runDump(context: CommandContext, flags: DumpFlags): Promise<void> {
  const [api, mapper, own] = await Promise.all([context.api(), context.mapper(), context.namespace()]);
  const list = async (resource: string, namespace: string | undefined): Promise<void> => {
    const type = mapper.find(resource);
    if (!type) return;
    const found = await listObjects(api, type, { namespace });
    const items = found.map(({ object }) => withoutManagedFields(object));
    context.print(goJson({ apiVersion: type.apiVersion, items, kind: `${type.kind}List`, metadata: {} }, 4));
  };
  await list('nodes', undefined);
  const named = flags.namespaces?.split(',') ?? ['kube-system', own];
  for (const namespace of flags.allNamespaces ? [undefined] : new Set(named)) {
    for (const resource of dumped) await list(resource, namespace);
  }
}

async function runClusterInfo(context: CommandContext): Promise<void> {
  const [client, api, mapper] = await Promise.all([context.client(), context.api(), context.mapper()]);
  const labelSelector = 'kubernetes.io/cluster-service=true';
  const services = await listObjects(api, mapper.resolve('services'), { namespace: 'kube-system', labelSelector });
  context.print(`Kubernetes control plane is running at ${client.server}`);
  for (const { object, name } of services) {
    const spec = object['spec'] as { ports?: { name?: string }[] } | undefined;
    const port = spec?.ports?.[0]?.name;
    const title = object.metadata.labels?.['kubernetes.io/name'] ?? name;
    const path = `/api/v1/namespaces/kube-system/services/${name}${port ? `:${port}` : ''}/proxy`;
    context.print(`${title} is running at ${client.server}${path}`);
  }
  context.print("\nTo further debug and diagnose cluster problems, use 'knarr cluster-info dump'.");
}

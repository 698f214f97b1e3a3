import type { Command } from 'commander';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { runDump, type DumpFlags } from '../dump/dump.js';
import { booleanFlag, durationFlag, listFlag } from '../flags.js';
import { listObjects } from '../found-objects.js';
import { addPrintFlags } from '../print-flags.js';

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('cluster-info')
    .description('print the addresses of the control plane and of its Services');
  host.bind<object>(command, runClusterInfo);
  const dump = addPrintFlags(command.command('dump'), 'json (the default), yaml, name, go-template=..., jsonpath=...')
    .description('print what is needed to find out what is wrong')
    .option('--output-directory <folder>', 'write files into this folder; - = standard output', '')
    .addOption(listFlag('--namespaces <names>', 'namespaces; default the current one and kube-system'))
    .addOption(booleanFlag('-A, --all-namespaces', 'of all namespaces'))
    .addOption(durationFlag('--pod-running-timeout <duration>', 'accepted for compatibility', '20s'));
  host.bind<DumpFlags>(dump, (context, flags) => runDump(context, flags));
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

import type { Command } from 'commander';
import type { ServicePort, Service } from '../../shared/api/generated/types.js';
import { formatSelector, selectorOfMap } from '../../shared/api/selector.js';
import { Failure } from '../cluster/failure.js';
import { booleanFlag } from '../flags.js';
import { addFileFlags, addWriteFlags, type FileFlags, type WriteFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { createGenerated } from '../create/create.js';
import { throwCollected } from '../failures.js';
import { findObjects, type FoundObject } from '../found-objects.js';
import { podSpecOf } from '../pod-template.js';
import { addOverrideFlags, overridden, type OverrideFlags } from '../overrides.js';
import type { AnyObject } from '../server-api.js';

export interface ExposeFlags extends OverrideFlags {
  saveConfig: boolean;
  name?: string;
  port?: string;
  targetPort?: string;
  protocol?: string;
  type?: string;
  clusterIp?: string;
  externalIp?: string;
  loadBalancerIp?: string;
  externalName?: string;
  labels?: string;
  selector?: string;
  sessionAffinity?: string;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('expose')
    .description('make a Service for a workload')
    .usage('(-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [flags]')
    .option('--name <name>', 'name of the Service; default the name of the object')
    .option('--port <port>', 'port of the Service; default the ports of the containers')
    .option('--target-port <port>', 'number or name of the port of the containers')
    .option('--protocol <protocol>', 'TCP, UDP or SCTP')
    .option('--type <type>', 'ClusterIP, NodePort, LoadBalancer or ExternalName')
    .option('--cluster-ip <ip>', 'address of its own, or None')
    .option('--external-ip <ip>', 'an address from outside that is accepted too')
    .option('--load-balancer-ip <ip>', 'the wanted address of the load balancer')
    .option('-l, --labels <labels>', 'labels of the Service')
    .option('--selector <labels>', 'selector instead of that of the object')
    .option('--session-affinity <kind>', 'None or ClientIP');
  addFileFlags(command);
  host.bind<ExposeFlags & FileFlags & WriteFlags>(
    addOverrideFlags(
      addWriteFlags(command).addOption(booleanFlag('--save-config', 'note the manifest for a later apply')),
    ),
    runExpose,
  );
}

async function runExpose(
  context: CommandContext,
  flags: ExposeFlags & FileFlags & WriteFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  const { filename: files, recursive: isRecursive } = flags;
  const { found, errors } = await findObjects(context, { words, files, isRecursive });
  for (const target of found) {
    try {
      const service = overridden(exposingService(target, flags), flags);
      await createGenerated(context, flags, service, {
        fieldManager: 'kubectl-expose',
        done: 'exposed',
        isPlainError: true,
      });
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

const labelsOf = (text: string): Record<string, string> =>
  Object.fromEntries(text.split(',').map((pair) => pair.split('=', 2) as [string, string]));

/** The Service in front of an object's pods. @throws Failure where selector or ports cannot be found. */
export function exposingService(target: FoundObject, flags: ExposeFlags): AnyObject {
  const selector = flags.selector === undefined ? selectorMap(target) : labelsOf(flags.selector);
  const labels = flags.labels === undefined ? target.object.metadata.labels : labelsOf(flags.labels);
  const ports = portsOf(target, flags);
  const optional = {
    ...(flags.type ? { type: flags.type } : {}),
    ...(flags.clusterIp ? { clusterIP: flags.clusterIp } : {}),
    ...(flags.externalIp ? { externalIPs: [flags.externalIp] } : {}),
    ...(flags.loadBalancerIp && flags.type === 'LoadBalancer' ? { loadBalancerIP: flags.loadBalancerIp } : {}),
    ...(flags.sessionAffinity ? { sessionAffinity: flags.sessionAffinity } : {}),
  };
  const name = flags.name ?? target.name.slice(0, 63);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...(labels && Object.keys(labels).length > 0 ? { labels } : {}), name },
    spec: { ports, selector, ...optional },
    status: { loadBalancer: {} },
  };
}

function selectorMap({ type, object }: FoundObject): Record<string, string> {
  if (type.kind === 'Pod') {
    const { labels = {} } = object.metadata;
    if (Object.keys(labels).length === 0)
      throw new Failure(
        "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed",
      );
    return labels;
  }
  const selector = (object['spec'] as { selector?: unknown } | undefined)?.selector;
  if (typeof selector !== 'object' || selector === null) throw new Failure(`cannot expose a ${type.kind}`);
  const { matchLabels, matchExpressions } = selector as {
    matchLabels?: Record<string, string>;
    matchExpressions?: unknown[];
  };
  if (matchExpressions?.length) {
    throw new Failure(
      `couldn't convert expressions - "${formatSelector(selectorOfMap(matchLabels))}" to map-based selector format`,
    );
  }
  const isMap = type.kind === 'Service' || type.kind === 'ReplicationController';
  return isMap ? (selector as Record<string, string>) : (matchLabels ?? {});
}

function portsOf(target: FoundObject, flags: ExposeFlags): ServicePort[] {
  const known = declaredPorts(target);
  const wanted =
    flags.port === undefined
      ? known
      : flags.port.split(',').map((text) => {
          const port = Number(text);
          if (!/^[-+]?\d+$/.test(text))
            throw new Failure(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
          return { port, protocol: known.find((each) => each.port === port)?.protocol ?? 'TCP' };
        });
  if (wanted.length === 0) throw new Failure("couldn't find port via --port flag or introspection");
  return wanted.map(({ port, protocol }, index) => ({
    ...(wanted.length > 1 ? { name: `port-${index + 1}` } : {}),
    port,
    protocol: flags.protocol ?? protocol,
    targetPort: targetPort(flags.targetPort, port),
  }));
}

const targetPort = (text: string | undefined, port: number): number | string =>
  text === undefined ? port : /^\d+$/.test(text) ? Number(text) : text;

function declaredPorts(target: FoundObject): { port: number; protocol: string }[] {
  if (target.type.kind === 'Service') {
    const { ports = [] } = (target.object as unknown as Service).spec;
    return ports.map(({ port, protocol = 'TCP' }) => ({ port, protocol }));
  }
  return podSpecOf(target).containers.flatMap(({ ports = [] }) =>
    ports.map(({ containerPort, protocol = 'TCP' }) => ({ port: containerPort, protocol })),
  );
}

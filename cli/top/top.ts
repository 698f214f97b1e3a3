import type { Node } from '../../shared/api/generated/types.js';
import { parseQuantity } from '../../shared/api/quantity.js';
import { resourcePath } from '../../shared/api/resource.js';
import { Failure } from '../cluster/failure.js';
import type { CommandContext } from '../context.js';
import { listObjects } from '../found-objects.js';
import { alignColumns } from '../printer/text-table.js';
import type { ResourceType } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';

export interface TopFlags {
  selector?: string;
  fieldSelector?: string;
  sortBy?: string;
  /** Commander's name of --no-headers: true when it is given. */
  headers: boolean;
  allNamespaces: boolean;
  containers: boolean;
  sum: boolean;
  showCapacity: boolean;
  showSwap: boolean;
}

interface Usage {
  readonly cpu?: string;
  readonly memory?: string;
  readonly swap?: string;
}
export interface NodeMetrics {
  readonly metadata: { readonly name: string };
  readonly usage: Usage;
}
export interface PodMetrics {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly containers: readonly { readonly name: string; readonly usage: Usage }[];
}

const millicores = (usage: Usage): number => Math.ceil(Number(parseQuantity(usage.cpu ?? '0').nanos) / 1e6);
const bytes = (usage: Usage, resource: 'memory' | 'swap' = 'memory'): number =>
  Number(parseQuantity(usage[resource] ?? '0').nanos) / 1e9;
const mebibyte = 1024 * 1024;
const cpuText = (count: number): string => `${count}m`;
const memoryText = (count: number): string => `${Math.floor(count / mebibyte)}Mi`;

/** @throws Failure where the metrics API is not served. */
async function metricsType(context: CommandContext, resource: string): Promise<ResourceType> {
  const mapper = await context.mapper();
  const type = mapper.types.find((each) => each.group === 'metrics.k8s.io' && each.resource === resource);
  if (!type) throw new Failure('Metrics API not available');
  return type;
}

function checkSort({ sortBy }: TopFlags): void {
  if (sortBy !== undefined && sortBy !== 'cpu' && sortBy !== 'memory')
    throw new Failure('--sort-by accepts only cpu or memory');
}

async function metricsOf<T>(
  context: CommandContext,
  type: ResourceType,
  flags: TopFlags,
  name: string | undefined,
): Promise<T[]> {
  if (name !== undefined && flags.selector) throw new Failure('only one of NAME or --selector can be provided');
  const [api, own] = await Promise.all([context.api(), context.namespace()]);
  const namespace = type.namespaced && !flags.allNamespaces ? own : undefined;
  if (name !== undefined)
    return [(await api.json<AnyObject>({ path: resourcePath(type, namespace, name) })) as unknown as T];
  const list = await listObjects(api, type, {
    namespace,
    labelSelector: flags.selector,
    fieldSelector: flags.fieldSelector,
  });
  return list.map(({ object }) => object as unknown as T);
}

export async function runTopNodes(
  context: CommandContext,
  flags: TopFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  checkSort(flags);
  const type = await metricsType(context, 'nodes');
  const metrics = await metricsOf<NodeMetrics>(context, type, flags, words[0]);
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const nodes = (
    await listObjects(api, mapper.resolve('nodes'), { namespace: undefined, labelSelector: flags.selector })
  ).map(({ object }) => object as unknown as Node);
  const of = words[0] === undefined ? nodes : nodes.filter(({ metadata }) => metadata.name === words[0]);
  if (metrics.length === 0) throw new Failure('metrics not available yet');
  context.print(alignColumns(nodeRows(metrics, of, flags)).join('\n'));
}

/** Rows of `top nodes`; nodes without metrics come last as unknown. */
function nodeRows(
  metrics: readonly NodeMetrics[],
  nodes: readonly Node[],
  flags: Pick<TopFlags, 'sortBy' | 'headers' | 'showCapacity' | 'showSwap'>,
): string[][] {
  const available = new Map(
    nodes.map(({ metadata, status }) => [metadata.name, flags.showCapacity ? status?.capacity : status?.allocatable]),
  );
  const swap = new Map(nodes.map(({ metadata, status }) => [metadata.name, status?.nodeInfo?.swap?.capacity]));
  const percent = (used: number, of: number): string => (of > 0 ? `${Math.trunc((used * 100) / of)}%` : '0%');
  const rows = metrics.toSorted(order<NodeMetrics>(flags.sortBy, ({ usage }) => usage)).map(({ metadata, usage }) => {
    const [cpu, memory] = [millicores(usage), bytes(usage)];
    const limits = available.get(metadata.name) ?? {};
    available.delete(metadata.name);
    return [
      metadata.name,
      cpuText(cpu),
      percent(cpu, millicores(limits)),
      memoryText(memory),
      percent(memory, bytes(limits)),
      ...(flags.showSwap ? swapCells(bytes(usage, 'swap'), swap.get(metadata.name), percent) : []),
    ];
  });
  const swapHead = flags.showSwap ? ['SWAP(bytes)', 'SWAP(%)'] : [];
  const head = ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)', ...swapHead];
  for (const name of available.keys()) rows.push([name, ...head.slice(1).map(() => '<unknown>')]);
  return flags.headers ? rows : [head, ...rows];
}

/** Of a node that does not tell of any swap memory nothing is known. */
function swapCells(
  used: number,
  capacity: number | undefined,
  percent: (used: number, of: number) => string,
): readonly string[] {
  return capacity === undefined ? ['<unknown>', '<unknown>'] : [memoryText(used), percent(used, capacity)];
}

const nameOf = (item: { metadata: { name: string; namespace?: string } }): string =>
  `${item.metadata.namespace ?? ''}/${item.metadata.name}`;

function order<T extends { metadata: { name: string; namespace?: string } }>(
  sortBy: string | undefined,
  usageOf: (item: T) => Usage,
): (a: T, b: T) => number {
  return (a, b) => {
    if (sortBy === 'cpu') return millicores(usageOf(b)) - millicores(usageOf(a));
    if (sortBy === 'memory') return bytes(usageOf(b)) - bytes(usageOf(a));
    return nameOf(a) < nameOf(b) ? -1 : 1;
  };
}

export async function runTopPods(
  context: CommandContext,
  flags: TopFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  checkSort(flags);
  const type = await metricsType(context, 'pods');
  const metrics = await metricsOf<PodMetrics>(context, type, flags, words[0]);
  if (metrics.length > 0) return context.print(alignColumns(podRows(metrics, flags)).join('\n'));
  const where = flags.allNamespaces ? '' : ` in ${await context.namespace()} namespace.`;
  context.tell(`No resources found${where}`);
}

const total = ({ containers }: PodMetrics): Usage => ({
  cpu: `${containers.reduce((sum, { usage }) => sum + millicores(usage), 0)}m`,
  memory: String(containers.reduce((sum, { usage }) => sum + bytes(usage), 0)),
  swap: String(containers.reduce((sum, { usage }) => sum + bytes(usage, 'swap'), 0)),
});

/** Rows of `top pods`, of pods or of each container. */
export function podRows(
  metrics: readonly PodMetrics[],
  flags: Pick<TopFlags, 'sortBy' | 'headers' | 'allNamespaces' | 'containers' | 'sum' | 'showSwap'>,
): string[][] {
  const sorted = metrics.toSorted(order<PodMetrics>(flags.sortBy, total));
  const start = ({ metadata }: PodMetrics): string[] => [
    ...(flags.allNamespaces ? [metadata.namespace ?? ''] : []),
    metadata.name,
  ];
  const uses = (usage: Usage): string[] => [
    cpuText(millicores(usage)),
    memoryText(bytes(usage)),
    ...(flags.showSwap ? [memoryText(bytes(usage, 'swap'))] : []),
  ];
  const columns = ['CPU(cores)', 'MEMORY(bytes)', ...(flags.showSwap ? ['SWAP(bytes)'] : [])];
  const rows = sorted.flatMap((pod) =>
    flags.containers
      ? pod.containers.map(({ name, usage }) => [...start(pod), name, ...uses(usage)])
      : [[...start(pod), ...uses(total(pod))]],
  );
  if (flags.sum) {
    const all = total({ metadata: { name: '' }, containers: metrics.flatMap(({ containers }) => containers) });
    const blanks = [...(flags.allNamespaces ? [''] : []), ...(flags.containers ? [''] : [])];
    rows.push([...blanks.map(() => ''), '', ...columns.map(() => '________')], [...blanks, '', ...uses(all)]);
  }
  const head = [
    ...(flags.allNamespaces ? ['NAMESPACE'] : []),
    flags.containers ? 'POD' : 'NAME',
    ...(flags.containers ? ['NAME'] : []),
  ];
  return flags.headers ? rows : [[...head, ...columns], ...rows];
}

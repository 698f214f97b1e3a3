import type { PodIdentity } from '../runtime/container-runtime.js';
import type { ContainerUsage, CpuUsage, NodeUsage } from './usage-recorder.js';

interface PodUsage {
  readonly pod: PodIdentity;
  readonly containers: readonly ContainerUsage[];
}

/** The document of /stats/summary. */
export function statsSummary(nodeName: string, node: NodeUsage, containers: readonly ContainerUsage[]): object {
  return {
    node: {
      nodeName,
      cpu: { time: timeOf(node.atMs), ...node.cpu },
      memory: {
        time: timeOf(node.atMs),
        availableBytes: node.memoryAvailableBytes,
        usageBytes: node.memoryTotalBytes - node.memoryAvailableBytes,
        workingSetBytes: node.memoryTotalBytes - node.memoryAvailableBytes,
      },
    },
    pods: byPod(containers).map(({ pod, containers: own }) => ({
      podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
      containers: own.map((container) => ({ name: container.name, ...usageOf([container]) })),
      ...usageOf(own),
    })),
  };
}

function usageOf(containers: readonly ContainerUsage[]): object {
  const time = timeOf(Math.max(...containers.map(({ atMs }) => atMs)));
  const memory = {
    time,
    workingSetBytes: sum(containers, (container) => container.memoryWorkingSetBytes),
    rssBytes: sum(containers, (container) => container.memoryRssBytes),
  };
  return { cpu: { time, ...totalCpu(containers.map(({ cpu }) => cpu)) }, memory };
}

function totalCpu(usages: readonly CpuUsage[]): CpuUsage {
  const usageCoreNanoSeconds = sum(usages, (cpu) => cpu.usageCoreNanoSeconds);
  if (usages.some((cpu) => cpu.usageNanoCores === undefined)) return { usageCoreNanoSeconds };
  return { usageCoreNanoSeconds, usageNanoCores: sum(usages, (cpu) => cpu.usageNanoCores ?? 0) };
}

/** The text of /metrics/resource: what metrics-server scrapes. */
export function resourceMetrics(node: NodeUsage, containers: readonly ContainerUsage[]): string {
  const used = node.memoryTotalBytes - node.memoryAvailableBytes;
  const pods = byPod(containers);
  const ofContainer = ({ name, pod }: ContainerUsage): Record<string, string> => ({
    container: name,
    namespace: pod.namespace,
    pod: pod.name,
  });
  const ofPod = ({ pod }: PodUsage): Record<string, string> => ({ namespace: pod.namespace, pod: pod.name });
  const seconds = (nanoseconds: number): number => nanoseconds / 1e9;
  return [
    ...family('container_cpu_usage_seconds_total', 'Cumulative cpu time consumed by the container in core-seconds', [
      'counter',
      containers.map((one) => [ofContainer(one), seconds(one.cpuNanoseconds), one.atMs]),
    ]),
    ...family('container_memory_working_set_bytes', 'Current working set of the container in bytes', [
      'gauge',
      containers.map((one) => [ofContainer(one), one.memoryWorkingSetBytes, one.atMs]),
    ]),
    ...family('node_cpu_usage_seconds_total', 'Cumulative cpu time consumed by the node in core-seconds', [
      'counter',
      [[{}, seconds(node.cpu.usageCoreNanoSeconds), node.atMs]],
    ]),
    ...family('node_memory_working_set_bytes', 'Current working set of the node in bytes', [
      'gauge',
      [[{}, used, node.atMs]],
    ]),
    ...family('pod_cpu_usage_seconds_total', 'Cumulative cpu time consumed by the pod in core-seconds', [
      'counter',
      pods.map((one) => [ofPod(one), seconds(sum(one.containers, (c) => c.cpuNanoseconds)), latest(one)]),
    ]),
    ...family('pod_memory_working_set_bytes', 'Current working set of the pod in bytes', [
      'gauge',
      pods.map((one) => [ofPod(one), sum(one.containers, (c) => c.memoryWorkingSetBytes), latest(one)]),
    ]),
    ...family('resource_scrape_error', '1 if there was an error while getting container metrics, 0 otherwise', [
      'gauge',
      [[{}, 0, undefined]],
    ]),
    '',
  ].join('\n');
}

/** The text of /metrics/cadvisor: the same figures by the names that dashboards know. */
export function cadvisorMetrics(node: NodeUsage, containers: readonly ContainerUsage[]): string {
  const labels = ({ name, pod }: ContainerUsage): Record<string, string> => ({
    container: name,
    namespace: pod.namespace,
    pod: pod.name,
  });
  const of = (read: (one: ContainerUsage) => number): MetricSample[] =>
    containers.map((one) => [labels(one), read(one), one.atMs]);
  const cpu = containers.map((one): MetricSample => [
    { ...labels(one), cpu: 'total' },
    one.cpuNanoseconds / 1e9,
    one.atMs,
  ]);
  return [
    ...family('container_cpu_usage_seconds_total', 'Cumulative cpu time consumed in seconds.', ['counter', cpu], ''),
    ...family(
      'container_last_seen',
      'Last time a container was seen by the exporter',
      ['gauge', of(({ atMs }) => Math.floor(atMs / 1000))],
      '',
    ),
    ...family('container_memory_rss', 'Size of RSS in bytes.', ['gauge', of((one) => one.memoryRssBytes)], ''),
    ...family(
      'container_memory_working_set_bytes',
      'Current working set in bytes.',
      ['gauge', of((one) => one.memoryWorkingSetBytes)],
      '',
    ),
    ...family(
      'machine_memory_bytes',
      'Amount of memory installed on the machine.',
      ['gauge', [[{}, node.memoryTotalBytes, node.atMs]]],
      '',
    ),
    '',
  ].join('\n');
}

type MetricSample = readonly [labels: Readonly<Record<string, string>>, value: number, atMs: number | undefined];

function family(
  name: string,
  help: string,
  [type, samples]: [type: string, samples: MetricSample[]],
  stability = '[STABLE] ',
): string[] {
  const lines = samples.map(([labels, value, atMs]) => {
    const text = Object.entries(labels).map(([key, label]) => `${key}=${JSON.stringify(label)}`);
    return `${name}${text.length > 0 ? `{${text.join(',')}}` : ''} ${value}${atMs === undefined ? '' : ` ${atMs}`}`;
  });
  return [`# HELP ${name} ${stability}${help}`, `# TYPE ${name} ${type}`, ...lines];
}

function byPod(containers: readonly ContainerUsage[]): PodUsage[] {
  const pods = new Map<string, ContainerUsage[]>();
  for (const container of containers) {
    const own = pods.get(container.pod.uid);
    if (own) own.push(container);
    else pods.set(container.pod.uid, [container]);
  }
  return [...pods.values()].flatMap((own) => (own[0] ? [{ pod: own[0].pod, containers: own }] : []));
}

const latest = ({ containers }: PodUsage): number => Math.max(...containers.map(({ atMs }) => atMs));

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

const timeOf = (atMs: number): string => new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');

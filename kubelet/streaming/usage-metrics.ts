import { metricText, type Sample } from '../../shared/metrics/text-format.js';
import { byPod, type PodUsage, sum } from './pod-usage.js';
import type { ContainerUsage, NodeUsage } from './usage-recorder.js';

const labelsOf = ({ name, pod }: ContainerUsage): Record<string, string> => ({
  container: name,
  namespace: pod.namespace,
  pod: pod.name,
});

const secondsOf = (nanoseconds: number): number => nanoseconds / 1e9;

const measured = (containers: readonly ContainerUsage[], value: (one: ContainerUsage) => number): Sample[] =>
  containers.map((one) => [labelsOf(one), value(one), one.atMs]);

/** The text of /metrics/resource: what metrics-server scrapes. */
export function resourceMetrics(node: NodeUsage, containers: readonly ContainerUsage[]): string {
  const counter = (name: string, help: string, samples: readonly Sample[]): string =>
    metricText({ name, help: `[STABLE] ${help}`, type: 'counter' }, samples);
  const gauge = (name: string, help: string, samples: readonly Sample[]): string =>
    metricText({ name, help: `[STABLE] ${help}`, type: 'gauge' }, samples);
  const pods = byPod(containers);
  const ofPods = (value: (one: ContainerUsage) => number): Sample[] =>
    pods.map((one) => [{ namespace: one.pod.namespace, pod: one.pod.name }, sum(one.containers, value), latestMs(one)]);
  const memory = (one: ContainerUsage): number => one.memoryWorkingSetBytes;
  const started = containers.filter(({ startedAtMs }) => startedAtMs !== undefined);
  const nodeMemory = node.memoryTotalBytes - node.memoryAvailableBytes;
  return [
    counter(
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the container in core-seconds',
      measured(containers, cpuSeconds),
    ),
    gauge(
      'container_memory_working_set_bytes',
      'Current working set of the container in bytes',
      measured(containers, memory),
    ),
    gauge(
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds',
      started.map((one) => [labelsOf(one), startSeconds(one)]),
    ),
    counter('node_cpu_usage_seconds_total', 'Cumulative cpu time consumed by the node in core-seconds', [
      [{}, secondsOf(node.cpu.usageCoreNanoSeconds), node.atMs],
    ]),
    gauge('node_memory_working_set_bytes', 'Current working set of the node in bytes', [[{}, nodeMemory, node.atMs]]),
    counter(
      'pod_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the pod in core-seconds',
      ofPods(cpuSeconds),
    ),
    gauge('pod_memory_working_set_bytes', 'Current working set of the pod in bytes', ofPods(memory)),
    gauge('resource_scrape_error', '1 if there was an error while getting container metrics, 0 otherwise', [[{}, 0]]),
  ].join('');
}

type Figure = readonly [
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: (one: ContainerUsage) => number,
  labels?: Readonly<Record<string, string>>,
];

/** What cAdvisor tells of every container, as far as it is known here. */
const cadvisorFigures: readonly Figure[] = [
  ['counter', 'cpu_usage_seconds_total', 'Cumulative cpu time consumed in seconds.', cpuSeconds, { cpu: 'total' }],
  [
    'counter',
    'cpu_cfs_periods_total',
    'Number of elapsed enforcement period intervals.',
    (one) => one.throttling.periods,
  ],
  [
    'counter',
    'cpu_cfs_throttled_periods_total',
    'Number of throttled period intervals.',
    (one) => one.throttling.throttledPeriods,
  ],
  [
    'counter',
    'cpu_cfs_throttled_seconds_total',
    'Total time duration the container has been throttled.',
    (one) => secondsOf(one.throttling.throttledNanoseconds),
  ],
  ['gauge', 'last_seen', 'Last time a container was seen by the exporter', ({ atMs }) => Math.floor(atMs / 1000)],
  ['gauge', 'memory_cache', 'Number of bytes of page cache memory.', (one) => one.memoryCacheBytes],
  ['gauge', 'memory_rss', 'Size of RSS in bytes.', (one) => one.memoryRssBytes],
  [
    'gauge',
    'memory_usage_bytes',
    'Current memory usage in bytes, including all memory regardless of when it was accessed',
    (one) => one.memoryUsageBytes,
  ],
  ['gauge', 'memory_working_set_bytes', 'Current working set in bytes.', (one) => one.memoryWorkingSetBytes],
  ['gauge', 'start_time_seconds', 'Start time of the container since unix epoch in seconds.', startSeconds],
];

/** The text of /metrics/cadvisor: the same figures by the names and labels that dashboards know. */
export function cadvisorMetrics(node: NodeUsage, containers: readonly ContainerUsage[]): string {
  const ofMachine = (name: string, help: string, value: number): string =>
    metricText({ name: `machine_${name}`, help, type: 'gauge' }, [[{}, value, node.atMs]]);
  return [
    ...cadvisorFigures.map(([type, name, help, value, more]) =>
      metricText(
        { name: `container_${name}`, help, type },
        containers.map((one) => [{ ...cadvisorLabels(one), ...more }, value(one), one.atMs]),
      ),
    ),
    ofMachine('cpu_cores', 'Number of logical CPU cores.', node.processors),
    ofMachine('memory_bytes', 'Amount of memory installed on the machine.', node.memoryTotalBytes),
  ].join('');
}

function cadvisorLabels(one: ContainerUsage): Record<string, string> {
  return { ...labelsOf(one), id: `/docker/${one.id}`, image: one.image, name: one.id };
}

function startSeconds({ startedAtMs = 0 }: ContainerUsage): number {
  return startedAtMs / 1000;
}

function cpuSeconds({ cpuNanoseconds }: ContainerUsage): number {
  return secondsOf(cpuNanoseconds);
}

const latestMs = ({ containers }: PodUsage): number => Math.max(...containers.map(({ atMs }) => atMs));

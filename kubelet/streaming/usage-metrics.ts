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
  const cpu = (one: ContainerUsage): number => secondsOf(one.cpuNanoseconds);
  const memory = (one: ContainerUsage): number => one.memoryWorkingSetBytes;
  const started = containers.filter(({ startedAtMs }) => startedAtMs !== undefined);
  const nodeMemory = node.memoryTotalBytes - node.memoryAvailableBytes;
  return [
    counter(
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the container in core-seconds',
      measured(containers, cpu),
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
    counter('pod_cpu_usage_seconds_total', 'Cumulative cpu time consumed by the pod in core-seconds', ofPods(cpu)),
    gauge('pod_memory_working_set_bytes', 'Current working set of the pod in bytes', ofPods(memory)),
    gauge('resource_scrape_error', '1 if there was an error while getting container metrics, 0 otherwise', [[{}, 0]]),
  ].join('');
}

/** The text of /metrics/cadvisor: the same figures by the names that dashboards know. */
export function cadvisorMetrics(node: NodeUsage, containers: readonly ContainerUsage[]): string {
  const gauge = (name: string, help: string, samples: readonly Sample[]): string =>
    metricText({ name, help, type: 'gauge' }, samples);
  const started = containers.filter(({ startedAtMs }) => startedAtMs !== undefined);
  return [
    metricText(
      { name: 'container_cpu_usage_seconds_total', help: 'Cumulative cpu time consumed in seconds.', type: 'counter' },
      containers.map((one) => [{ ...labelsOf(one), cpu: 'total' }, secondsOf(one.cpuNanoseconds), one.atMs]),
    ),
    gauge(
      'container_last_seen',
      'Last time a container was seen by the exporter',
      measured(containers, ({ atMs }) => Math.floor(atMs / 1000)),
    ),
    gauge(
      'container_memory_rss',
      'Size of RSS in bytes.',
      measured(containers, (one) => one.memoryRssBytes),
    ),
    gauge(
      'container_memory_working_set_bytes',
      'Current working set in bytes.',
      measured(containers, (one) => one.memoryWorkingSetBytes),
    ),
    gauge(
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds.',
      measured(started, startSeconds),
    ),
    gauge('machine_memory_bytes', 'Amount of memory installed on the machine.', [
      [{}, node.memoryTotalBytes, node.atMs],
    ]),
  ].join('');
}

const startSeconds = ({ startedAtMs = 0 }: ContainerUsage): number => startedAtMs / 1000;

const latestMs = ({ containers }: PodUsage): number => Math.max(...containers.map(({ atMs }) => atMs));

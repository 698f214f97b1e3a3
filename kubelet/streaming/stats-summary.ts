import { byPod, sum } from './pod-usage.js';
import type { ContainerUsage, CpuUsage, NodeUsage } from './usage-recorder.js';

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

const timeOf = (atMs: number): string => new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');

import { readFile } from 'node:fs/promises';

import { CGROUP_ROOT, cgroupsOf } from './docker-cgroup.js';
import type { UsedResources } from '../container-runtime.js';

/** Reads a container's cgroup files (version 2, then 1); undefined where they are not visible. Cheaper than the engine's API. */
export async function readCgroup(id: string, root = CGROUP_ROOT): Promise<UsedResources | undefined> {
  for (const cgroup of cgroupsOf(id)) {
    const usage = (await readVersion2(`${root}/${cgroup}`)) ?? (await readVersion1(root, cgroup));
    if (usage) return usage;
  }
  return undefined;
}

async function readVersion2(folder: string): Promise<UsedResources | undefined> {
  const [cpu, current, stat] = await readAll([
    `${folder}/cpu.stat`,
    `${folder}/memory.current`,
    `${folder}/memory.stat`,
  ]);
  if (cpu === undefined || current === undefined || stat === undefined) return undefined;
  return {
    cpuNanoseconds: field(cpu, 'usage_usec') * 1000,
    throttling: {
      periods: field(cpu, 'nr_periods'),
      throttledPeriods: field(cpu, 'nr_throttled'),
      throttledNanoseconds: field(cpu, 'throttled_usec') * 1000,
    },
    memoryUsageBytes: Number(current),
    memoryCacheBytes: field(stat, 'file'),
    memoryWorkingSetBytes: Math.max(0, Number(current) - field(stat, 'inactive_file')),
    memoryRssBytes: field(stat, 'anon'),
  };
}

async function readVersion1(root: string, path: string): Promise<UsedResources | undefined> {
  const memory = `${root}/memory/${path}`;
  const [cpu, current, stat, throttling = ''] = await readAll([
    `${root}/cpuacct/${path}/cpuacct.usage`,
    `${memory}/memory.usage_in_bytes`,
    `${memory}/memory.stat`,
    `${root}/cpu/${path}/cpu.stat`,
  ]);
  if (cpu === undefined || current === undefined || stat === undefined) return undefined;
  return {
    cpuNanoseconds: Number(cpu),
    throttling: {
      periods: field(throttling, 'nr_periods'),
      throttledPeriods: field(throttling, 'nr_throttled'),
      throttledNanoseconds: field(throttling, 'throttled_time'),
    },
    memoryUsageBytes: Number(current),
    memoryCacheBytes: field(stat, 'total_cache'),
    memoryWorkingSetBytes: Math.max(0, Number(current) - field(stat, 'total_inactive_file')),
    memoryRssBytes: field(stat, 'total_rss'),
  };
}

function readAll(files: readonly string[]): Promise<(string | undefined)[]> {
  return Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => undefined)));
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

/** The same from the engine's statistics, for hosts whose cgroups are out of sight. */
export function usageOf(stats: {
  readonly cpu_stats: {
    readonly cpu_usage: { readonly total_usage: number };
    readonly throttling_data?: {
      readonly periods: number;
      readonly throttled_periods: number;
      readonly throttled_time: number;
    };
  };
  readonly memory_stats: { readonly usage?: number; readonly stats?: Readonly<Record<string, number>> };
}): UsedResources {
  const { usage = 0, stats: memory = {} } = stats.memory_stats;
  const { periods = 0, throttled_periods = 0, throttled_time = 0 } = stats.cpu_stats.throttling_data ?? {};
  const inactive = memory['total_inactive_file'] ?? memory['inactive_file'] ?? 0;
  return {
    cpuNanoseconds: stats.cpu_stats.cpu_usage.total_usage,
    throttling: { periods, throttledPeriods: throttled_periods, throttledNanoseconds: throttled_time },
    memoryUsageBytes: usage,
    memoryCacheBytes: memory['total_cache'] ?? memory['file'] ?? 0,
    memoryWorkingSetBytes: Math.max(0, usage - inactive),
    memoryRssBytes: memory['total_rss'] ?? memory['anon'] ?? 0,
  };
}

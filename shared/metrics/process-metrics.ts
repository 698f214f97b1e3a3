import { readdirSync, readFileSync } from 'node:fs';
import type { MetricsRegistry } from './registry.js';

/** What a program says that it is. */
export interface BuildInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/** Adds the figures that every Prometheus client library gives of its process, and what the process is, under the usual names. */
export function addProcessMetrics(registry: MetricsRegistry, build: BuildInfo): void {
  addBuildInfo(registry, build);
  const cpu = registry.counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time spent, in seconds.',
  });
  const memory = registry.gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory size in bytes.' });
  const heap = registry.gauge({ name: 'nodejs_heap_size_used_bytes', help: 'Used heap of the process in bytes.' });
  const files = registry.gauge({ name: 'process_open_fds', help: 'Number of open file descriptors.' });
  const mostFiles = registry.gauge({ name: 'process_max_fds', help: 'Maximum number of open file descriptors.' });
  registry
    .gauge({ name: 'process_start_time_seconds', help: 'Start time of the process since the epoch, in seconds.' })
    .set(Math.round(performance.timeOrigin / 1000));
  registry.onCollect(() => {
    const { user, system } = process.cpuUsage();
    cpu.reach((user + system) / 1e6);
    const usage = process.memoryUsage();
    memory.set(usage.rss);
    heap.set(usage.heapUsed);
    files.set(readdirSync('/proc/self/fd').length);
    mostFiles.set(Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity));
  });
}

function addBuildInfo(registry: MetricsRegistry, build: BuildInfo): void {
  const values = {
    build_date: build.buildDate,
    compiler: build.compiler,
    git_commit: build.gitCommit,
    git_tree_state: build.gitTreeState,
    git_version: build.gitVersion,
    go_version: build.goVersion,
    major: build.major,
    minor: build.minor,
    platform: build.platform,
  };
  registry
    .gauge({
      name: 'kubernetes_build_info',
      help: "A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
      labels: Object.keys(values),
    })
    .set(1, Object.values(values));
}

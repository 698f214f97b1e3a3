import type { MetricsRegistry } from './registry.js';

/** Adds the figures that every Prometheus client library gives of its process, under the usual names. */
export function addProcessMetrics(registry: MetricsRegistry): void {
  const cpu = registry.counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time spent, in seconds.',
  });
  const memory = registry.gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory size in bytes.' });
  const heap = registry.gauge({ name: 'nodejs_heap_size_used_bytes', help: 'Used heap of the process in bytes.' });
  registry
    .gauge({ name: 'process_start_time_seconds', help: 'Start time of the process since the epoch, in seconds.' })
    .set(Math.round(performance.timeOrigin / 1000));
  registry.onCollect(() => {
    const { user, system } = process.cpuUsage();
    cpu.reach((user + system) / 1e6);
    const usage = process.memoryUsage();
    memory.set(usage.rss);
    heap.set(usage.heapUsed);
  });
}

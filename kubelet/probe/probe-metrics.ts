import { objectKey } from '../../shared/api/object.js';
import type { Counter, Histogram, LabelValues, MetricsRegistry } from '../../shared/metrics/registry.js';
import type { ProbeTarget } from './probe.js';
import type { ProbeType } from './probe-worker.js';

const typeNames = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' } as const;

/** How a probe came out, in the words of the original's metric: `unknown` could not be carried out. */
export type ProbeCount = 'successful' | 'failed' | 'unknown';

/** What the kubelet tells at /metrics/probes, under the original's names. */
export class ProbeMetrics {
  readonly #total: Counter;
  readonly #durations: Histogram;
  /** Labels of the series by pod uid: a pod that is gone takes them along. */
  readonly #series = new Map<string, Map<string, LabelValues>>();

  constructor(registry: MetricsRegistry) {
    this.#total = registry.counter({
      name: 'prober_probe_total',
      help: 'Cumulative number of a liveness, readiness or startup probe for a container by result.',
      labels: ['probe_type', 'result', 'container', 'pod', 'namespace', 'pod_uid'],
    });
    this.#durations = registry.histogram({
      name: 'prober_probe_duration_seconds',
      help: 'Duration in seconds for a probe response.',
      labels: ['probe_type', 'container', 'pod', 'namespace'],
    });
  }

  probed(type: ProbeType, target: ProbeTarget, result: ProbeCount, durationMs: number): void {
    const { name, namespace } = target.pod.metadata;
    const uid = target.pod.metadata.uid ?? '';
    const common = [target.container.name, name, namespace ?? ''];
    const labels = [typeNames[type], result, ...common, uid];
    this.#total.inc(labels);
    this.#durations.observe(durationMs / 1000, [typeNames[type], ...common]);
    const series = this.#series.get(uid) ?? new Map<string, LabelValues>();
    series.set(`${type} ${result} ${target.container.name} ${objectKey(target.pod)}`, labels);
    this.#series.set(uid, series);
  }

  /** The pod is gone. */
  forget(uid: string): void {
    for (const labels of this.#series.get(uid)?.values() ?? []) {
      this.#total.remove(labels);
      const [type = '', , container = '', pod = '', namespace = ''] = labels;
      this.#durations.remove([type, container, pod, namespace]);
    }
    this.#series.delete(uid);
  }
}

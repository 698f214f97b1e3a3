import { braced, header, labelPair, numberText } from './text-format.js';

/** Values of a metric's labels, in the order in which the labels were declared. */
export type LabelValues = readonly string[];

/** A number that only grows. */
export interface Counter {
  inc(labels?: LabelValues, by?: number): void;
  /** Takes over a sum that is counted elsewhere, which never falls; for what is told to `onCollect`. */
  reach(total: number, labels?: LabelValues): void;
  /** What has these labels is told no more. */
  remove(labels: LabelValues): void;
}
/** A number that goes up and down. */
export interface Gauge {
  set(value: number, labels?: LabelValues): void;
  add(by: number, labels?: LabelValues): void;
  /** What has these labels is told no more. */
  remove(labels: LabelValues): void;
}
/** Counts observations in buckets. */
export interface Histogram {
  observe(value: number, labels?: LabelValues): void;
  /** Observes under these labels: for what is counted so often that looking them up would cost more than counting. */
  bind(labels: LabelValues): (value: number) => void;
  /** What has these labels is told no more. */
  remove(labels: LabelValues): void;
}

interface Metric {
  render(): string;
}

export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** Bounds as in Prometheus' client libraries, in seconds. */
const defaultBuckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * The metrics of one process in the Prometheus text format. A metric keeps at most `maxSeries` label combinations: later
 * ones are counted in `knarr_metrics_dropped_series_total` and forgotten, so that no caller can exhaust the memory.
 */
export class MetricsRegistry {
  readonly #metrics = new Map<string, Metric>();
  readonly #collectors: (() => void)[] = [];
  readonly #maxSeries: number;
  readonly #dropped: Series;

  constructor(options: { maxSeries?: number } = {}) {
    this.#maxSeries = options.maxSeries ?? 2000;
    const name = 'knarr_metrics_dropped_series_total';
    this.#dropped = new Series(
      { name, help: 'Observations lost to the bound on label combinations.', labels: ['metric'] },
      'counter',
      this.#maxSeries,
    );
    this.#metrics.set(name, this.#dropped);
  }

  /** The counter of that name; made at the first call. */
  counter(options: MetricOptions): Counter {
    const series = this.#series(options, 'counter');
    return {
      inc: (labels, by = 1) => series.add(by, labels),
      reach: (total, labels) => series.set(total, labels),
      remove: (labels) => series.remove(labels),
    };
  }

  /** The gauge of that name; made at the first call. */
  gauge(options: MetricOptions): Gauge {
    const series = this.#series(options, 'gauge');
    return {
      set: (value, labels) => series.set(value, labels),
      add: (by, labels) => series.add(by, labels),
      remove: (labels) => series.remove(labels),
    };
  }

  /** The histogram of that name; made at the first call. `buckets` are upper bounds in ascending order. */
  histogram(options: MetricOptions & { buckets?: readonly number[] }): Histogram {
    const found = this.#metrics.get(options.name);
    if (found instanceof HistogramSeries) return found;
    if (found) throw new Error(`metric ${options.name} is not a histogram`);
    const made = new HistogramSeries(options, options.buckets ?? defaultBuckets, this.#maxSeries, () =>
      this.#dropped.add(1, [options.name]),
    );
    this.#metrics.set(options.name, made);
    return made;
  }

  /** `collect` runs before every rendering and sets gauges whose value is only worth computing then. */
  onCollect(collect: () => void): void {
    this.#collectors.push(collect);
  }

  /** All metrics as text. */
  render(): string {
    for (const collect of this.#collectors) collect();
    return [...this.#metrics.values()].map((metric) => metric.render()).join('');
  }

  #series(options: MetricOptions, type: 'counter' | 'gauge'): Series {
    const found = this.#metrics.get(options.name);
    if (found instanceof Series && found.type === type) return found;
    if (found) throw new Error(`metric ${options.name} is not a ${type}`);
    const made = new Series(options, type, this.#maxSeries, () => this.#dropped.add(1, [options.name]));
    this.#metrics.set(options.name, made);
    return made;
  }
}

class Series implements Metric {
  readonly type: 'counter' | 'gauge';
  readonly #options: MetricOptions;
  readonly #maxSeries: number;
  readonly #onDrop: () => void;
  readonly #values = new Map<string, number>();

  constructor(options: MetricOptions, type: 'counter' | 'gauge', maxSeries: number, onDrop = (): void => undefined) {
    this.type = type;
    this.#options = options;
    this.#maxSeries = maxSeries;
    this.#onDrop = onDrop;
  }

  add(by: number, labels?: LabelValues): void {
    const key = keyOf(this.#options.labels, labels);
    this.#store(key, (this.#values.get(key) ?? 0) + by);
  }

  set(value: number, labels?: LabelValues): void {
    this.#store(keyOf(this.#options.labels, labels), value);
  }

  remove(labels: LabelValues): void {
    this.#values.delete(keyOf(this.#options.labels, labels));
  }

  #store(key: string, value: number): void {
    if (!this.#values.has(key) && this.#values.size >= this.#maxSeries) this.#onDrop();
    else this.#values.set(key, value);
  }

  render(): string {
    const { name, labels } = this.#options;
    let text = header(this.#options, this.type);
    for (const [key, value] of this.#values) text += `${name}${braced(labelText(labels, key))} ${numberText(value)}\n`;
    return text;
  }
}

interface HistogramValues {
  readonly counts: number[];
  sum: number;
  count: number;
}

class HistogramSeries implements Metric, Histogram {
  readonly #options: MetricOptions;
  readonly #bounds: readonly number[];
  readonly #maxSeries: number;
  readonly #onDrop: () => void;
  readonly #values = new Map<string, HistogramValues>();

  constructor(options: MetricOptions, bounds: readonly number[], maxSeries: number, onDrop: () => void) {
    this.#options = options;
    this.#bounds = bounds;
    this.#maxSeries = maxSeries;
    this.#onDrop = onDrop;
  }

  observe(value: number, labels?: LabelValues): void {
    const series = this.#find(labels);
    if (series) this.#add(series, value);
  }

  bind(labels: LabelValues): (value: number) => void {
    let series: HistogramValues | undefined;
    return (value) => {
      series ??= this.#find(labels);
      if (series) this.#add(series, value);
    };
  }

  remove(labels: LabelValues): void {
    this.#values.delete(keyOf(this.#options.labels, labels));
  }

  #find(labels: LabelValues | undefined): HistogramValues | undefined {
    const key = keyOf(this.#options.labels, labels);
    let series = this.#values.get(key);
    if (series) return series;
    if (this.#values.size >= this.#maxSeries) {
      this.#onDrop();
      return undefined;
    }
    series = { counts: this.#bounds.map(() => 0), sum: 0, count: 0 };
    this.#values.set(key, series);
    return series;
  }

  #add(series: HistogramValues, value: number): void {
    series.sum += value;
    series.count++;
    const bucket = this.#bounds.findIndex((bound) => value <= bound);
    if (bucket >= 0) series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
  }

  render(): string {
    const { name } = this.#options;
    let text = header(this.#options, 'histogram');
    for (const [key, series] of this.#values) {
      const labels = labelText(this.#options.labels, key);
      const prefix = labels === '' ? '' : `${labels},`;
      let cumulative = 0;
      this.#bounds.forEach((bound, i) => {
        cumulative += series.counts[i] ?? 0;
        text += `${name}_bucket{${prefix}le="${numberText(bound)}"} ${cumulative}\n`;
      });
      text += `${name}_bucket{${prefix}le="+Inf"} ${series.count}\n`;
      text += `${name}_sum${braced(labels)} ${numberText(series.sum)}\n${name}_count${braced(labels)} ${series.count}\n`;
    }
    return text;
  }
}

/** Between values in the key of a series: what is counted often must not be laid out each time. */
const separator = '\u0000';

function keyOf(names: readonly string[] | undefined, values: LabelValues | undefined): string {
  if (!names || names.length === 0 || !values) return '';
  let key = values[0] ?? '';
  for (let i = 1; i < names.length; i++) key += separator + (values[i] ?? '');
  return key;
}

function labelText(names: readonly string[] | undefined, key: string): string {
  if (!names || names.length === 0) return '';
  const values = key.split(separator);
  return names.map((name, i) => labelPair(name, values[i] ?? '')).join(',');
}

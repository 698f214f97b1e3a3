/** One measured number. */
export interface Figure {
  /** Name as in original.json where the original has the same figure. */
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  /** Further numbers of the same run, for the JSON file: percentiles, counts. */
  readonly details?: Readonly<Record<string, number>>;
}

/** What this machine can do at most; printed beside every figure, used to scale the original's. */
export interface Calibration {
  readonly fdatasyncPerSecond: number;
  readonly tlsPostPerSecond: number;
  readonly tlsGetPerSecond: number;
  readonly stringifyPerSecond: number;
  readonly parsePerSecond: number;
}

/** One group of measures: a file of this folder exports these as `measures`. */
export type Measures = (context: MeasureContext) => Promise<readonly Figure[]>;

export interface MeasureContext {
  /** An empty directory on a real disk; removed afterwards. */
  readonly directory: string;
  readonly calibration: Calibration;
  /** A line of progress. */
  readonly say: (line: string) => void;
}

/** Sorted copy's value at `share` (0 to 1). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export const perSecond = (count: number, elapsedMs: number): number => (count / elapsedMs) * 1000;

/** Does `job` for 0..count-1 with `width` of them under way at once; the latencies in milliseconds. */
export async function pool(count: number, width: number, job: (index: number) => Promise<unknown>): Promise<number[]> {
  let next = 0;
  const latencies: number[] = [];
  const worker = async (): Promise<void> => {
    while (next < count) {
      const start = performance.now();
      await job(next++);
      latencies.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return latencies;
}

export async function timed<T>(job: () => Promise<T>): Promise<[elapsedMs: number, result: T]> {
  const start = performance.now();
  const result = await job();
  return [performance.now() - start, result];
}

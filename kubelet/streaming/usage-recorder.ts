import { readFile } from 'node:fs/promises';

import type { Clock } from '../../shared/clock/clock.js';
import type { ContainerRuntime, ContainerStats } from '../runtime/container-runtime.js';

/** Shorter intervals give rates that jump about. */
const MIN_INTERVAL_MS = 1000;
/** The kernel counts processor time in hundredths of a second. */
const NANOSECONDS_PER_TICK = 10_000_000;

/** CPU time used so far, and the rate over the last interval where there was one. */
export interface CpuUsage {
  readonly usageCoreNanoSeconds: number;
  readonly usageNanoCores?: number;
}

export interface NodeUsage {
  readonly processors: number;
  readonly cpu: CpuUsage;
  readonly memoryTotalBytes: number;
  readonly memoryAvailableBytes: number;
  readonly atMs: number;
}

export interface ContainerUsage extends ContainerStats {
  readonly cpu: CpuUsage;
}

interface Sample {
  readonly atMs: number;
  readonly nanoseconds: number;
  readonly rate: number | undefined;
}

/** Turns counters into rates: remembers one sample for each container that runs, and one for the node. */
export class UsageRecorder {
  readonly #runtime: ContainerRuntime;
  readonly #clock: Clock;
  readonly #procFolder: string;
  #samples = new Map<string, Sample>();

  constructor(runtime: ContainerRuntime, clock: Clock, procFolder = '/proc') {
    this.#runtime = runtime;
    this.#clock = clock;
    this.#procFolder = procFolder;
  }

  async containers(): Promise<readonly ContainerUsage[]> {
    const stats = await this.#runtime.stats();
    const usages = stats.map((one) => ({ ...one, cpu: this.#cpu(one.id, one.cpuNanoseconds, one.atMs) }));
    const present = new Set(['node', ...stats.map(({ id }) => id)]);
    for (const id of this.#samples.keys()) if (!present.has(id)) this.#samples.delete(id);
    return usages;
  }

  async node(): Promise<NodeUsage> {
    const [stat, memory] = await Promise.all(
      ['stat', 'meminfo'].map((name) => readFile(`${this.#procFolder}/${name}`, 'utf8')),
    );
    const atMs = this.#clock.now();
    const kilobytes = (name: string): number =>
      Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(memory ?? '')?.[1] ?? 0);
    return {
      processors: (stat ?? '').match(/^cpu\d+ /gm)?.length ?? 0,
      cpu: this.#cpu('node', busyNanoseconds(stat ?? ''), atMs),
      memoryTotalBytes: kilobytes('MemTotal') * 1024,
      memoryAvailableBytes: kilobytes('MemAvailable') * 1024,
      atMs,
    };
  }

  #cpu(id: string, nanoseconds: number, atMs: number): CpuUsage {
    const last = this.#samples.get(id);
    const elapsedMs = last ? atMs - last.atMs : 0;
    let rate = last?.rate;
    if (last && elapsedMs >= MIN_INTERVAL_MS) {
      rate = Math.max(0, Math.round(((nanoseconds - last.nanoseconds) / elapsedMs) * 1000));
    }
    if (!last || elapsedMs >= MIN_INTERVAL_MS) this.#samples.set(id, { atMs, nanoseconds, rate });
    return { usageCoreNanoSeconds: nanoseconds, ...(rate === undefined ? {} : { usageNanoCores: rate }) };
  }
}

/** All of the first line's ticks but idle and iowait. */
function busyNanoseconds(stat: string): number {
  const ticks = (/^cpu +(.+)$/m.exec(stat)?.[1] ?? '').split(' ').map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks;
  return (user + nice + system + irq + softirq + steal) * NANOSECONDS_PER_TICK;
}

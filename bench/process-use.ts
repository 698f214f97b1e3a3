import { readFileSync } from 'node:fs';

export interface ProcessUse {
  /** Resident memory. */
  readonly memoryMB: number;
  /** CPU time of all threads since the start. */
  readonly cpuMs: number;
}

/** Linux counts CPU time in ticks of this length for every program. */
const tickMs = 10;

/** What a running process uses, as Linux counts it. */
export function processUse(pid: number): ProcessUse {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  // The name of the program may hold spaces; fields count from behind it.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const [user, system] = [fields[11], fields[12]].map(Number);
  return {
    memoryMB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
    cpuMs: ((user ?? 0) + (system ?? 0)) * tickMs,
  };
}

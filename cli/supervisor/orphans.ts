import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process as it was noted down: the start time tells it from a later one with the same number. */
export interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly startTime: string;
}

/** Start time of a process; undefined when there is none with this number. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may itself contain blanks and parentheses. Z is a zombie: it has ended.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Whether the very process that was noted down still runs. */
export function isAlive(record: ProcessRecord): boolean {
  const startTime = startTimeOf(record.pid);
  return startTime !== undefined && startTime === record.startTime;
}

/** Reads the list that an earlier supervisor left; an unreadable one is a damaged file and throws. */
export function readRecords(path: string): ProcessRecord[] {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as ProcessRecord[]) : [];
}

/** Ends processes that a killed supervisor left behind: SIGTERM, after `graceMs` SIGKILL. */
export async function endOrphans(records: readonly ProcessRecord[], graceMs = 10_000): Promise<void> {
  const alive = records.filter(isAlive);
  for (const record of alive) signal(record, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  while (alive.some(isAlive) && performance.now() < deadline) await delay(20);
  for (const record of alive.filter(isAlive)) signal(record, 'SIGKILL');
  while (alive.some(isAlive) && performance.now() < deadline + 2000) await delay(20);
}

function signal(record: ProcessRecord, name: NodeJS.Signals): void {
  try {
    process.kill(record.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What is needed of the machine; an argument so that tests can play it. */
export interface ProcessTable {
  /** Folder with a folder for each process, as /proc. */
  readonly directory: string;
  readonly kill: (pid: number, signal: 'SIGKILL') => void;
}

const ownTable: ProcessTable = { directory: '/proc', kill: (pid, signal) => void process.kill(pid, signal) };

/**
 * Kills every process in the cgroup of a container, without asking the engine, which may be stuck. Returns how many there
 * were.
 */
export async function killContainerProcesses(containerId: string, table: ProcessTable = ownTable): Promise<number> {
  const pids = (await readdir(table.directory)).filter((name) => /^[1-9]\d*$/.test(name));
  let killed = 0;
  for (const pid of pids) {
    // A process may end while it is looked at.
    const cgroup = await readFile(join(table.directory, pid, 'cgroup'), 'utf8').catch(() => '');
    if (!cgroup.includes(containerId)) continue;
    try {
      table.kill(Number(pid), 'SIGKILL');
      killed++;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  return killed;
}

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endOrphans, isAlive, type ProcessRecord, readRecords, startTimeOf } from '../supervisor/orphans.js';
import { Failure } from './failure.js';
import type { ProcessSpec } from './processes.js';
import { clusterFiles, type ClusterFiles, makePrivateDirectory, writePrivateFile } from './state.js';

const stopTimeoutMs = 60_000;

/** Folder with the bundled programs: this file is itself bundled into it. */
export function programsDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const folder = here.endsWith('chunks') ? dirname(here) : here;
  if (!existsSync(join(folder, 'supervisor.js'))) throw new Failure('Knarr is not built. Run: npm run build');
  return folder;
}

/** The supervisor of this cluster on this host, if it runs. */
export function runningSupervisor(files: ClusterFiles): ProcessRecord | undefined {
  if (!existsSync(files.supervisorPid)) return undefined;
  const record = JSON.parse(readFileSync(files.supervisorPid, 'utf8')) as ProcessRecord;
  return isAlive(record) ? record : undefined;
}

/** Ports, packet rules and address ranges of a host belong to one cluster at a time. Throws when another one runs. */
export function requireOnlyCluster(home: string, cluster: string): void {
  const root = join(home, '.knarr');
  const names = existsSync(root) ? readdirSync(root).filter((name) => name !== cluster) : [];
  const other = names.find((name) => {
    const files = clusterFiles(home, name);
    return runningSupervisor(files) !== undefined || runningProcesses(files).length > 0;
  });
  if (other !== undefined)
    throw new Failure(
      `The cluster "${other}" already runs on this machine, which has room for one at a time. Stop it first with: knarr down --name ${other} (or knarr stop --name ${other} --pods)`,
    );
}

/** Processes that the supervisor keeps, as it last noted them. */
export function runningProcesses(files: ClusterFiles): ProcessRecord[] {
  return readRecords(join(files.root, 'processes.json')).filter(isAlive);
}

/** Starts the supervisor in the background; it outlives this command. */
export function startSupervisor(files: ClusterFiles, home: string, cluster: string): void {
  makePrivateDirectory(files.logs);
  const log = openSync(join(files.logs, 'supervisor.log'), 'a', 0o600);
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', join(programsDirectory(), 'supervisor.js'), home, cluster],
    { detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  if (child.pid === undefined) throw new Failure('The supervisor could not be started');
  writePrivateFile(
    files.supervisorPid,
    JSON.stringify({ name: 'supervisor', pid: child.pid, startTime: startTimeOf(child.pid) ?? '' }),
  );
  child.unref();
}

/** Ends the supervisor, and with it all processes of the cluster on this host; containers stay. */
export async function stopSupervisor(files: ClusterFiles): Promise<void> {
  const record = runningSupervisor(files);
  // One that was killed has left its processes behind.
  if (!record) return endOrphans(runningProcesses(files));
  process.kill(record.pid, 'SIGTERM');
  const deadline = performance.now() + stopTimeoutMs;
  while (isAlive(record)) {
    if (performance.now() > deadline)
      throw new Failure(
        `The supervisor (process ${record.pid}) did not end within ${stopTimeoutMs / 1000} s; see ${join(files.logs, 'supervisor.log')}`,
      );
    await delay(20);
  }
}

/** Runs a program of the cluster to its end. Throws its last words when it fails. */
export function runProgram(files: ClusterFiles, spec: ProcessSpec, timeoutMs = 120_000): Promise<void> {
  mkdirSync(files.logs, { recursive: true });
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(programsDirectory(), `${spec.program}.js`), ...spec.args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: timeoutMs,
    });
    let words = '';
    child.stderr.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-2000);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const end = child.killed ? `did not end within ${timeoutMs / 1000} s` : `ended with ${code ?? signal}`;
      if (code === 0) resolve();
      else reject(new Failure(`${spec.name}: ${words.trim() || end}`));
    });
  });
}

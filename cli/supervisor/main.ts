// Keeps the cluster's processes of this host running. `knarr up` starts it in the background; SIGTERM stops everything in reverse order.
import { statSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plannedProcesses } from '../cluster/processes.js';
import { clusterFiles, readState } from '../cluster/state.js';
import { Child } from './child.js';
import { endOrphans, type ProcessRecord, readRecords, startTimeOf } from './orphans.js';
import { RecordFile } from './record-file.js';

const [home = '', cluster = ''] = process.argv.slice(2);
const files = clusterFiles(home, cluster);
const state = readState(files);
if (!state) throw new Error(`there is no cluster ${cluster} below ${home}: run knarr up`);

const recordsFile = join(files.root, 'processes.json');
const children: Child[] = [];
const recordFile = new RecordFile(recordsFile);
const records = (): ProcessRecord[] =>
  children.flatMap((c): ProcessRecord[] =>
    c.pid === undefined ? [] : [{ name: c.spec.name, pid: c.pid, startTime: startTimeOf(c.pid) ?? '' }],
  );
const note = (): void => recordFile.write(records);

await endOrphans(readRecords(recordsFile));
const programs = dirname(fileURLToPath(import.meta.url));
for (const spec of plannedProcesses(files, state))
  children.push(new Child(spec, { programs, logs: files.logs, onChange: note }));
for (const child of children) child.start();

/** Logs are emptied at a size, so that they never fill the disk. */
const logLimitBytes = 64 * 1024 * 1024;
const logCheck = setInterval(() => {
  for (const child of children) {
    const log = join(files.logs, `${child.spec.name}.log`);
    const sizeBytes = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
    if (sizeBytes > logLimitBytes) truncateSync(log);
  }
}, 60_000);

let stopping: Promise<void> | undefined;
async function stopAll(): Promise<void> {
  clearInterval(logCheck);
  // Nodes first, the API server last: each can still say goodbye to it.
  for (const child of [...children].reverse()) if (child.spec.name !== 'apiserver') void child.stop();
  await Promise.all(children.filter((c) => c.spec.name !== 'apiserver').map((c) => c.stop()));
  await Promise.all(children.map((c) => c.stop()));
}
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    stopping ??= stopAll().finally(() => process.exit(0));
  });
}

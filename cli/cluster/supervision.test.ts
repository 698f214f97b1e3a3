import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type ProcessRecord, startTimeOf } from '../supervisor/orphans.js';
import { clusterFiles, makePrivateDirectory } from './state.js';
import { requireOnlyCluster, runningProcesses, stopSupervisor } from './supervision.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'knarr-home-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const recordOf = (name: string, pid: number): ProcessRecord => ({ name, pid, startTime: startTimeOf(pid) ?? '' });

function noteSupervisor(cluster: string, record: ProcessRecord): void {
  const files = clusterFiles(home, cluster);
  makePrivateDirectory(files.root);
  writeFileSync(files.supervisorPid, JSON.stringify(record));
}

function noteProcesses(cluster: string, records: readonly ProcessRecord[]): void {
  const files = clusterFiles(home, cluster);
  makePrivateDirectory(files.root);
  writeFileSync(join(files.root, 'processes.json'), JSON.stringify(records));
}

test('a host with another running cluster takes no second one, and the sentence names it', () => {
  noteSupervisor('lab', recordOf('supervisor', process.pid));
  assert.throws(
    () => requireOnlyCluster(home, 'default'),
    /^Failure: The cluster "lab" already runs .*knarr down --name lab/,
  );
  requireOnlyCluster(home, 'lab');
});

test('processes of a killed supervisor are a running cluster too', () => {
  noteProcesses('lab', [recordOf('apiserver', process.pid)]);
  assert.throws(() => requireOnlyCluster(home, 'default'), /"lab" already runs/);
});

test('clusters that are stopped do not count, nor does a later process with the number of an earlier one', () => {
  requireOnlyCluster(home, 'default');
  noteSupervisor('lab', { ...recordOf('supervisor', process.pid), startTime: '1' });
  noteProcesses('lab', []);
  requireOnlyCluster(home, 'default');
});

test('stopping a cluster ends what a killed supervisor left behind', async () => {
  const files = clusterFiles(home, 'default');
  const left = spawn('sleep', ['60'], { stdio: 'ignore' });
  const ended = once(left, 'exit');
  noteProcesses('default', [recordOf('scheduler', left.pid ?? 0)]);
  assert.equal(runningProcesses(files).length, 1);
  await stopSupervisor(files);
  assert.deepEqual(await ended, [null, 'SIGTERM']);
});

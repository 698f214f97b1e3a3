import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { killContainerProcesses } from './container-processes.js';

const id = 'a'.repeat(64);
const cgroups: Record<string, string> = {
  '1': '0::/init.scope\n',
  '20': `12:pids:/docker/${id}\n0::/docker/${id}\n`,
  '21': `0::/system.slice/docker-${id}.scope\n`,
  '22': `0::/docker/${'b'.repeat(64)}\n`,
};

test("a container's processes are found by their cgroup, of either version; one that is gone meanwhile is no failure", async () => {
  const directory = await mkdtemp(join(tmpdir(), 'proc-'));
  for (const [pid, cgroup] of Object.entries(cgroups)) {
    await mkdir(join(directory, pid));
    await writeFile(join(directory, pid, 'cgroup'), cgroup);
  }
  await mkdir(join(directory, 'sys'));
  await mkdir(join(directory, '30'));
  const asked: number[] = [];
  const kill = (pid: number): void => {
    asked.push(pid);
    if (pid === 21) throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' });
  };
  assert.equal(await killContainerProcesses(id, { directory, kill }), 1);
  assert.deepEqual(
    asked.toSorted((a, b) => a - b),
    [20, 21],
  );
  await rm(directory, { recursive: true });
});

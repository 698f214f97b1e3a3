import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../../shared/clock/eventually.js';
import { pauseProgram } from './pause-image.js';

test('the pause program of this machine runs, sleeps, and ignores SIGCHLD, so that orphans are reaped', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pause-'));
  const file = join(folder, 'pause');
  await writeFile(file, pauseProgram(process.arch === 'arm64' ? 'arm64' : 'amd64'), { mode: 0o755 });
  const child = spawn(file, { stdio: 'ignore' });
  const exited = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  await eventually(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    assert.match(status, /^State:\tS/m);
    const ignored = BigInt(`0x${/^SigIgn:\t([0-9a-f]+)$/m.exec(status)?.[1]}`);
    assert.equal((ignored >> 16n) & 1n, 1n, 'SIGCHLD is signal 17');
  });
  child.kill('SIGKILL');
  assert.equal(await exited, 'SIGKILL');
  await rm(folder, { recursive: true });
});

test('the arm64 program is an ELF file for that machine', () => {
  const file = pauseProgram('aarch64');
  assert.equal(file.readUInt16LE(18), 183);
  assert.equal(file.length, 64 + 56 + 14 * 4 + 32);
});

test('another architecture is told in one sentence', () => {
  assert.throws(() => pauseProgram('riscv64'), /no pause image is known for architecture riscv64: use x86-64 or arm64/);
});

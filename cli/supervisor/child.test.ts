import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { Child } from './child.js';
import { RecordFile } from './record-file.js';

test('a program whose log cannot be made is started when it can', async () => {
  const root = await mkdtemp(join(tmpdir(), 'child-'));
  const logs = join(root, 'logs');
  await writeFile(join(root, 'program.js'), "console.log('hello'); setInterval(() => undefined, 1000);\n");
  let changes = 0;
  const spec = { name: 'one', program: 'program', healthPort: 0, args: [] };
  const child = new Child(spec, { programs: root, logs, onChange: () => void changes++ });
  child.start();
  assert.deepEqual([child.pid, child.restarts, changes], [undefined, 1, 1]);
  await mkdir(logs);
  await eventually(async () => assert.equal(await readFile(join(logs, 'one.log'), 'utf8'), 'hello\n'));
  assert.ok(child.pid);
  await child.stop();
  await rm(root, { recursive: true });
});

test('the note of what runs is written later when it cannot be written now, as it is then', async () => {
  const root = await mkdtemp(join(tmpdir(), 'records-'));
  const path = join(root, 'state', 'processes.json');
  let pid = 1;
  new RecordFile(path).write(() => [{ name: 'one', pid, startTime: '' }]);
  pid = 2;
  await mkdir(join(root, 'state'));
  const alive = setInterval(() => undefined, 100);
  await eventually(async () => assert.match(await readFile(path, 'utf8'), /"pid":2/));
  clearInterval(alive);
  await rm(root, { recursive: true });
});

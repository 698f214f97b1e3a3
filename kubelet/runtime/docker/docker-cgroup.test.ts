import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { killTogether } from './docker-cgroup.js';

test('processes of a container die together where the cgroup can say so; elsewhere nothing is made', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'cgroup-'));
  t.after(() => rmSync(root, { recursive: true }));
  const version1 = join(root, 'docker', 'old');
  const version2 = join(root, 'system.slice', 'docker-new.scope');
  for (const folder of [version1, version2]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(version2, 'memory.oom.group'), '0');
  assert.equal(await killTogether('new', root), true);
  assert.equal(readFileSync(join(version2, 'memory.oom.group'), 'utf8'), '1');
  assert.equal(await killTogether('old', root), false);
  assert.equal(existsSync(join(version1, 'memory.oom.group')), false);
  assert.equal(await killTogether('unknown', root), false);
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { Lab } from './lab/lab.js';

let lab: Lab;
before(async () => {
  lab = await Lab.create(1);
});
after(() => lab?.destroy());

test('the demo runs from nothing, tells who answered, and removes everything', async () => {
  const host = lab.host(0);
  const { stdout } = await host.run([process.execPath, resolve('dist/scripts/demo.js'), '--once'], {
    timeoutMs: 240_000,
  });
  assert.match(stdout, /^PICTURE\s+PREDICTION\s+PROBABILITY\s+GATEWAY POD\s+MODEL-SERVER POD\s+LATENCY$/m);
  const rows = stdout.split('\n').filter((line) => /^\S+\.jpg\s/.test(line));
  assert.equal(rows.length, 40);
  const distinct = (pattern: RegExp): number => new Set(rows.map((row) => pattern.exec(row)?.[0])).size;
  assert.ok(distinct(/gateway-\w+-\w+/) >= 2, 'at least two gateway pods');
  assert.ok(distinct(/tf-serving-clothing-model-\w+-\w+/) >= 2, 'at least two model-server pods');
  assert.match(stdout, /Pictures answered:\s+40 of 40/);
  assert.equal((await host.run(['docker', 'ps', '-aq'])).stdout, '', 'no container is left');
  assert.equal(existsSync(join(host.directory, 'home', '.knarr', 'default')), false, 'no state is left');
});

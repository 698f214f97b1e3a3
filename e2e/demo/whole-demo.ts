import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Host } from '../lab/host.js';

/** Runs the demo on a host from nothing until nothing is left. */
export async function runsWholeDemo(host: Host): Promise<void> {
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
}

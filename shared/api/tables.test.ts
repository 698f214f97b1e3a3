import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataDirectory, readData } from './tables.js';

test('a bundle finds its tables in the data folder beside it', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'knarr-tables-'));
  t.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'data'));
  writeFileSync(join(directory, 'data', 'schemas.json'), '{}');
  assert.equal(dataDirectory(directory), join(directory, 'data'));
  assert.throws(() => dataDirectory('/proc/self'), /schemas\.json was not found above/);
});

test('facts are found beside the generated tables', () => {
  const directory = dataDirectory();
  assert.ok(Object.hasOwn(readData(directory, 'schemas.json') as object, 'io.k8s.api.core.v1.Pod'));
  assert.ok(Object.hasOwn(readData(directory, 'api-facts.json') as object, 'fields'));
  assert.throws(() => readData(directory, 'none.json'), /none\.json was not found/);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const lines = readFileSync('docs/conformance.md', 'utf8').split('\n');
const rows = lines
  .filter((line) => line.startsWith('| ') && !line.startsWith('| behaviour'))
  .map((line) => line.slice(1, -1).split(' | '));

/** A title as it stands in a source: quotes within quotes are escaped there. */
const sourceOf = (file: string): string => readFileSync(file, 'utf8').replaceAll("\\'", "'");

test('every test that docs/conformance.md names stands in its file', () => {
  let count = 0;
  for (const [behaviour = '', , shown = ''] of rows) {
    if (shown.trim() === 'not shown') continue;
    for (const one of shown.split('<br>')) {
      const [, path = '', title = ''] = /\[[^\]]+\]\(([^)]+)\): (.+)$/.exec(one.trim()) ?? [];
      if (path === '' && one.trim().startsWith('not shown: ')) continue;
      assert.ok(path !== '' && title !== '', `${behaviour}: ${one}`);
      assert.ok(sourceOf(join('docs', path)).includes(title), `${path} has no test "${title}"`);
      count += 1;
    }
  }
  assert.ok(count > 100);
});

test('every conformance test is named once, and each group tells how many are shown', () => {
  const names = rows.map(([, name]) => name);
  assert.equal(new Set(names).size, names.length);
  let told = 0;
  for (const line of lines) told += Number(/^## .*: (\d+) of \d+$/.exec(line)?.[1] ?? 0);
  assert.equal(told, rows.filter(([, , shown = '']) => !shown.trim().startsWith('not shown')).length);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { families, readCorpus } from './corpus.js';
import { describeFuzzing } from './fuzz-suite.js';

test('the corpora hold at least 10,000 inputs, each once', () => {
  const counts = families.map(({ name, seeds }) => {
    const lines = readCorpus(name);
    assert.equal(new Set(lines).size, lines.length, name);
    assert.ok(lines.length > seeds.length, name);
    return lines.length;
  });
  assert.ok(counts.reduce((sum, count) => sum + count, 0) >= 10_000);
});

describeFuzzing(10);

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { apiDocument } from './api-document.js';

test('docs/api.md says what is served', () => {
  const written = readFileSync('docs/api.md', 'utf8');
  assert.equal(written, apiDocument(), 'node dist/scripts/api-document.js > docs/api.md writes it anew');
});

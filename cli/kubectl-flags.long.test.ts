import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { laterProgram } from '../e2e/lab/later-debian.js';
import { formatHelps, helpOfAll, recordedHelp } from './testing/kubectl-help.js';

// With TRANSCRIPTS_REWRITE=1 the record is written anew; kubectl-flags.test.ts then tells what knarr lacks.
test('what is recorded of the help of kubectl 1.36 is what it prints', async () => {
  const help = formatHelps(await helpOfAll(laterProgram('usr/bin/kubectl')));
  if (process.env['TRANSCRIPTS_REWRITE'] !== undefined) writeFileSync(recordedHelp, help);
  assert.equal(readFileSync(recordedHelp, 'utf8'), help);
});

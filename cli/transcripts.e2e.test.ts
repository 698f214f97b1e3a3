import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareTranscripts, transcribedCommands } from './testing/transcript-stage.js';

// What kubectl prints, as text that people can read, run with knarr; transcripts.long.test.ts runs it with kubectl.
const least = 150;

compareTranscripts('knarr');

test(`the transcripts hold at least ${least} commands`, () => {
  assert.ok(transcribedCommands().filter((command) => command.includes('kubectl')).length >= least);
});

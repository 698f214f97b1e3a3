import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHelp } from './kubectl-help.js';

test('commands and flags are read from the sections that tell of them', () => {
  const help = [
    'Do something.',
    '',
    'Examples:',
    '  kubectl x --not-a-flag=1',
    '',
    'Basic Commands (Beginner):',
    '  create          Create a resource',
    '  api-resources   Print',
    '',
    'Options:',
    '    -f, --filename=[]:',
    '\tFilename, see --other=x',
    "    --dry-run='none':",
    '',
    'Usage:',
    '  kubectl x [flags]',
  ];
  assert.deepEqual(parseHelp(help.join('\n')), {
    commands: ['create', 'api-resources'],
    flags: ['--dry-run', '--filename', '-f'],
  });
});

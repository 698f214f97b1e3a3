import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { arrayFlag, booleanFlag } from '../flags.js';
import { findCommand, flagNames, readLine } from './line.js';

const root = new Command('knarr');
const rollout = root.command('rollout');
const undo = rollout
  .command('undo')
  .option('-n, --namespace <name>', 'namespace')
  .option('--to-revision <number>', 'revision')
  .addOption(booleanFlag('-w, --watch', 'watch'))
  .addOption(arrayFlag('--env <pair>', 'environment; may be repeated'));
const { options } = undo;

test('flags and their values are told from operands, as far as the line is written', () => {
  const line = readLine(['-n', 'shop', 'deploy', '--to-revision=3', '-w', 'web', '--unknown', '-nother'], options);
  assert.deepEqual(line.operands, ['deploy', 'web']);
  assert.deepEqual(line.flags, { namespace: 'other', toRevision: '3', watch: 'true' });
  assert.equal(line.pending, undefined);
});

test('a flag at the end waits for its value, and what is behind -- belongs to somebody else', () => {
  assert.equal(readLine(['deploy', '-n'], options).pending?.long, '--namespace');
  assert.equal(readLine(['deploy', '-w'], options).pending, undefined);
  assert.deepEqual(readLine(['web', '--', '-n', 'x'], options), {
    operands: ['web', '-n', 'x'],
    flags: {},
    pending: undefined,
    isDashed: true,
  });
});

test('a command is found between flags, and words that name none are left', () => {
  const [command, rest] = findCommand(root, ['-n', 'rollout', 'rollout', '-w', 'undo', 'undo'], options);
  assert.equal(command, undo);
  assert.deepEqual(rest, ['-n', 'rollout', '-w', 'undo']);
});

test('flags are offered once, but for those that may be repeated', () => {
  const offered = (word: string): string[] =>
    flagNames(options, { watch: 'true', env: 'a=b' }, word).map(({ value }) => value);
  assert.deepEqual(offered('-'), ['--env', '--namespace', '--to-revision', '-n']);
  assert.deepEqual(offered('--w'), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { addClusterCommands } from './commands.js';
import { commandIndex } from '../command-index.js';

test('no command of the cluster on this machine takes a word of kubectl', () => {
  const program = new Command();
  addClusterCommands(program);
  const taken = new Set(commandIndex.flatMap(({ name, aliases = [] }) => [name, ...aliases]));
  const own = program.commands.map((command) => command.name());
  assert.deepEqual(
    own.filter((name) => taken.has(name)),
    [],
  );
});

test('the steps of up stand under one hidden word', () => {
  const program = new Command();
  addClusterCommands(program);
  const internal = program.commands.find((command) => command.name() === 'internal');
  assert.deepEqual(
    internal?.commands.map((command) => command.name()),
    ['init', 'run', 'bootstrap'],
  );
  assert.doesNotMatch(program.helpInformation(), /internal/);
});

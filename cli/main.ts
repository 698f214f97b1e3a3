import { Command } from 'commander';
import { addClusterCommands } from './cluster/commands.js';
import { Failure } from './cluster/failure.js';

const program = new Command('knarr')
  .description('A Kubernetes in TypeScript that runs real Docker containers')
  .showHelpAfterError()
  .enablePositionalOptions();
addClusterCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  const words =
    error instanceof Failure ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`error: ${words}\n`);
  process.exitCode = 1;
}

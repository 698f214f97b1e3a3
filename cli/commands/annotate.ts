import type { Command } from 'commander';
import type { CommandHost } from '../command-host.js';
import { registerMetadataCommand } from '../metadata-command.js';

export function register(program: Command, host: CommandHost): void {
  registerMetadataCommand(program, host, {
    name: 'annotate',
    field: 'annotations',
    description: 'set, change or remove annotations',
    done: 'annotated',
    removed: 'annotated',
    both: 'annotated',
    manager: 'kubectl-annotate',
  });
}

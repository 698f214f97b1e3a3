import type { Command } from 'commander';
import type { CommandHost } from '../command-host.js';
import { registerMetadataCommand } from '../metadata-command.js';

export function register(program: Command, host: CommandHost): void {
  registerMetadataCommand(program, host, {
    name: 'label',
    field: 'labels',
    description: 'set, change or remove labels',
    done: 'labeled',
    removed: 'unlabeled',
    both: 'modified',
    manager: 'kubectl-label',
  });
}

import type { Command } from 'commander';
import { addFileFlags, type FileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import { runEdit } from '../edit/edit.js';

export interface EditFlags extends FileFlags {
  output: string;
  fieldManager: string;
  subresource?: string;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('edit')
    .description('change objects in an editor')
    .usage('(RESOURCE/NAME | -f FILENAME) [flags]')
    .option('-o, --output <format>', 'yaml or json: how the objects are shown', 'yaml')
    .option('--subresource <name>', 'status instead of the object')
    .option('--field-manager <name>', 'name under which the server notes the change', 'kubectl-edit');
  addFileFlags(command);
  host.bind<EditFlags>(command, (context, flags, { words }) => runEdit(context, flags, words));
}

import type { Command } from 'commander';
import { addFileFlags, validateFlag, windowsLineEndingsFlag, type FileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import { runEdit } from '../edit/edit.js';
import { booleanFlag } from '../flags.js';
import { addPrintFlags, type PrintFlags } from '../print-flags.js';

export interface EditFlags extends FileFlags, PrintFlags {
  fieldManager: string;
  subresource?: string;
  outputPatch: boolean;
  saveConfig: boolean;
  validate: string;
  windowsLineEndings: boolean;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('edit')
    .description('change objects in an editor')
    .usage('(RESOURCE/NAME | -f FILENAME) [flags]')
    .option('--subresource <name>', 'status instead of the object')
    .option('--field-manager <name>', 'name under which the server notes the change', 'kubectl-edit')
    .addOption(booleanFlag('--output-patch', 'print the patch that is sent'))
    .addOption(booleanFlag('--save-config', 'note what was edited for a later apply'))
    .addOption(validateFlag())
    .addOption(windowsLineEndingsFlag());
  addFileFlags(addPrintFlags(command, 'yaml or json: how the objects are shown'));
  host.bind<EditFlags>(command, (context, flags, { words }) => runEdit(context, flags, words));
}

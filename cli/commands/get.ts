import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { addKustomizeFlag } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import { booleanFlag, integerFlag, listFlag } from '../flags.js';
import { runGet } from '../get/get.js';
import type { GetFlags } from '../get/options.js';
import { addPrintFlags } from '../print-flags.js';

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('get')
    .description('show one or many objects')
    .usage('(TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]')
    .option('-l, --selector <query>', 'label selector')
    .option('--field-selector <query>', 'field selector')
    .option('--sort-by <path>', 'JSONPath of the field to sort by')
    .option('--subresource <name>', 'status or scale instead of the object')
    .option('--raw <path>', 'print the answer of the server to a path')
    .addOption(listFlag('-f, --filename <file>', 'file, directory or - whose objects are shown'))
    .addOption(listFlag('-L, --label-columns <labels>', 'labels shown as columns'))
    .addOption(integerFlag('--chunk-size <count>', 'objects asked for at once; 0 = all', 500))
    .addOption(booleanFlag('-A, --all-namespaces', 'of all namespaces'))
    .addOption(booleanFlag('-w, --watch', 'afterwards, watch for changes'))
    .addOption(booleanFlag('--watch-only', 'watch for changes without listing first'))
    .addOption(booleanFlag('--output-watch-events', 'show the kind of each change'))
    .addOption(booleanFlag('-R, --recursive', 'look into subdirectories of -f'))
    .addOption(booleanFlag('--ignore-not-found', 'nothing found is not a failure'))
    .addOption(booleanFlag('--no-headers', 'no line of headers'))
    .addOption(booleanFlag('--show-labels', 'labels as the last column'))
    .addOption(booleanFlag('--show-kind', 'the type in front of each name'))
    .addOption(booleanFlag('--server-print', 'accepted for compatibility: tables come from the server', true));
  addKustomizeFlag(command);
  addPrintFlags(command, 'wide, json, yaml, name, jsonpath=..., go-template=..., custom-columns=...');
  host.bind<GetFlags>(command, (context, flags, args) =>
    runGet(context, flags, args.words, (path) => readFileSync(path, 'utf8')),
  );
}

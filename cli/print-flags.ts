import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { CommandContext } from './context.js';
import { booleanFlag } from './flags.js';
import { isTemplate, objectPrinter } from './printer/object-printer.js';
import type { AnyObject } from './server-api.js';

/** Flags of commands that print objects in a format, or else a message. */
export interface PrintFlags {
  output?: string;
  template?: string;
  showManagedFields: boolean;
  allowMissingTemplateKeys: boolean;
}

export function addPrintFlags(
  command: Command,
  formats = 'json, yaml, name, go-template=..., jsonpath=... instead of the message',
): Command {
  return command
    .option('-o, --output <format>', formats)
    .option('--template <template>', 'the template of -o go-template, or the file of -o go-template-file')
    .addOption(booleanFlag('--show-managed-fields', 'keep managedFields in json and yaml'))
    .addOption(booleanFlag('--allow-missing-template-keys', 'a template may name what is not there', true));
}

/** Writes an object in the format of the flags, or the message where they name none. */
export type ObjectWriter = (object: AnyObject, message: string) => Promise<void>;

/** @throws Failure for an unknown format. */
export function objectWriter(context: CommandContext, flags: PrintFlags): ObjectWriter {
  const { output, template, showManagedFields, allowMissingTemplateKeys: allowsMissing } = flags;
  const readFile = (path: string): string => readFileSync(path, 'utf8');
  const printer = objectPrinter(output, { template, showManagedFields, allowsMissing, readFile });
  return async (object, message) => {
    if (!printer) return context.print(message);
    const text = await printer(object, false);
    context.terminal.stdout.write(isTemplate(output) ? text : `${text}\n`);
  };
}

import type { Command } from 'commander';
import { addFileFlags, dryRunFlag, dryRunOf, dryRunSuffix, type FileFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { booleanFlag } from '../flags.js';
import { findObjects, referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { objectPrinter } from '../printer/object-printer.js';

export interface SetFlags extends FileFlags {
  selector?: string;
  all: boolean;
  dryRun: string;
  output?: string;
  fieldManager: string;
}

/** Flags of all `set` commands. */
export function addSetFlags(command: Command): Command {
  command
    .option('-l, --selector <query>', 'label selector')
    .option('-o, --output <format>', 'json, yaml, name ...')
    .option('--field-manager <name>', 'name under which the server notes the change', 'kubectl-set')
    .addOption(booleanFlag('--all', 'all objects of the types'))
    .addOption(booleanFlag('--local', 'accepted for compatibility'))
    .addOption(dryRunFlag());
  return addFileFlags(command);
}

/** What a `set` command does to each object. */
export interface Setting {
  /** Said of a changed object, e.g. `image updated`. */
  readonly done: string;
  /** The strategic merge patch; undefined when nothing changes. */
  plan(target: FoundObject): object | undefined;
}

export function targetsOf(
  context: CommandContext,
  { selector, all, filename: files, recursive: isRecursive }: SetFlags,
  words: readonly string[],
): Promise<{ found: FoundObject[]; errors: unknown[] }> {
  return findObjects(context, { words, selector, all, files, isRecursive });
}

/** Patches every object that the words mean. */
export async function applySetting(
  context: CommandContext,
  flags: SetFlags,
  words: readonly string[],
  setting: Setting,
): Promise<void> {
  const dryRun = dryRunOf(flags.dryRun);
  const { found, errors } = await targetsOf(context, flags, words);
  const api = await context.api();
  const printer = objectPrinter(flags.output);
  for (const target of found) {
    try {
      const body = setting.plan(target);
      if (body === undefined) continue;
      const query = { dryRun: dryRun === 'server' ? 'All' : undefined, fieldManager: flags.fieldManager };
      const contentType = 'application/strategic-merge-patch+json';
      const changed =
        dryRun === 'client'
          ? target.object
          : await api.json({ method: 'PATCH', path: referencePath(target), query, contentType, body });
      if (printer) context.print(await printer(changed, false));
      else context.print(`${referenceName(target)} ${setting.done}${dryRunSuffix(dryRun)}`);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

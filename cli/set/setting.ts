import type { Command } from 'commander';
import { StatusError } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import { addFileFlags, dryRunFlag, dryRunOf, dryRunSuffix, type FileFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { booleanFlag } from '../flags.js';
import { findObjects, referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { localObjects } from '../local-objects.js';
import { patchHere } from '../local-patch.js';
import { addPrintFlags, objectWriter, type PrintFlags } from '../print-flags.js';
import type { AnyObject } from '../server-api.js';
import { TypeTables } from '../type-tables.js';

export interface SetFlags extends FileFlags, PrintFlags {
  selector?: string;
  all: boolean;
  local: boolean;
  dryRun: string;
  fieldManager: string;
}

/** Flags of all `set` commands. */
export function addSetFlags(command: Command): Command {
  command
    .option('-l, --selector <query>', 'label selector')
    .option('--field-manager <name>', 'name under which the server notes the change', 'kubectl-set')
    .addOption(booleanFlag('--all', 'all objects of the types'))
    .addOption(booleanFlag('--local', 'change what files hold, and ask no server'))
    .addOption(dryRunFlag());
  return addFileFlags(addPrintFlags(command));
}

/** What a `set` command does to each object. */
export interface Setting {
  /** Said of a changed object, e.g. `image updated`. */
  readonly done: string;
  /** Said in front of why the server refused the patch; as it is where there is nothing to say. */
  readonly failed?: string;
  /** The strategic merge patch; undefined when nothing changes. */
  plan(target: FoundObject): object | undefined;
}

export async function targetsOf(
  context: CommandContext,
  flags: SetFlags,
  words: readonly string[],
): Promise<{ found: FoundObject[]; errors: unknown[] }> {
  const { selector, all, filename: files, recursive: isRecursive } = flags;
  if (flags.local) return { found: await localObjects(context, flags), errors: [] };
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
  const write = objectWriter(context, flags);
  const types = new TypeTables();
  for (const target of found) {
    try {
      const body = setting.plan(target);
      if (body === undefined) continue;
      const changed =
        dryRun === 'client' || flags.local
          ? patchHere(target.object, body, 'strategic', types)
          : await patched(context, flags, target, { body, isDryRun: dryRun === 'server' }).catch((error: unknown) => {
              throw setting.failed !== undefined && error instanceof StatusError
                ? new Failure(`${setting.failed} ${error.message}`)
                : error;
            });
      await write(changed, `${referenceName(target)} ${setting.done}${dryRunSuffix(dryRun)}`);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

async function patched(
  context: CommandContext,
  { fieldManager }: SetFlags,
  target: FoundObject,
  { body, isDryRun }: { readonly body: object; readonly isDryRun: boolean },
): Promise<AnyObject> {
  const api = await context.api();
  return api.json({
    method: 'PATCH',
    path: referencePath(target),
    query: { dryRun: isDryRun ? 'All' : undefined, fieldManager },
    contentType: 'application/strategic-merge-patch+json',
    body,
  });
}

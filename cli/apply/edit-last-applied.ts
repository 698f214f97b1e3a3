import type { Command } from 'commander';
import { ANNOTATION_LAST_APPLIED } from '../../shared/api/well-known.js';
import { Failure } from '../cluster/failure.js';
import {
  addFileFlags,
  fieldValidationOf,
  validateFlag,
  windowsLineEndingsFlag,
  type FileFlags,
} from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { editFormatOf, findToEdit } from '../edit/edit.js';
import { runEditSession, type EditTarget } from '../edit/edit-session.js';
import { referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { addPrintFlags, objectWriter, type ObjectWriter, type PrintFlags } from '../print-flags.js';
import { goJson } from '../printer/json.js';
import type { AnyObject } from '../server-api.js';
import { appliedNote, lastApplied } from './last-applied.js';

interface Flags extends FileFlags, PrintFlags {
  fieldManager: string;
  validate: string;
  windowsLineEndings: boolean;
}

const advice = [
  "Please edit the 'last-applied-configuration' annotations below.",
  "Lines beginning with a '#' will be ignored, and an empty file will abort the edit.",
  '',
];

/** `apply edit-last-applied`. */
export function registerEditLastApplied(apply: Command, host: CommandHost): void {
  const command = apply
    .command('edit-last-applied')
    .description('change the manifest of the last apply in an editor, without any other change')
    .usage('(RESOURCE/NAME | -f FILENAME) [flags]')
    .option('--field-manager <name>', 'name under which the server notes the change', 'kubectl-client-side-apply')
    .addOption(validateFlag())
    .addOption(windowsLineEndingsFlag());
  host.bind<Flags>(addFileFlags(addPrintFlags(command, 'yaml or json: how it is shown')), run);
}

async function run(
  context: CommandContext,
  flags: Flags,
  { words }: { readonly words: readonly string[] },
): Promise<void> {
  const format = editFormatOf(flags);
  const found = await findToEdit(context, flags, words);
  const targets: (EditTarget & FoundObject)[] = found.flatMap((each) => {
    const shown = lastApplied(each.object) as AnyObject | undefined;
    return shown ? [{ ...each, shown }] : [];
  });
  if (targets.length === 0) {
    throw new Failure(
      'no last-applied-configuration annotation found on resources, to create the annotation, use command `knarr apply set-last-applied --create-annotation`',
    );
  }
  const write = objectWriter(context, flags);
  await runEditSession(context, {
    head: { format, advice },
    withWindowsLineEnds: flags.windowsLineEndings,
    targets,
    isReopened: false,
    save: (target, edited) => saveNote(context, flags, { target, edited, write }),
  });
}

interface Saving {
  readonly target: EditTarget & FoundObject;
  readonly edited: AnyObject;
  readonly write: ObjectWriter;
}

async function saveNote(context: CommandContext, flags: Flags, { target, edited, write }: Saving): Promise<void> {
  if (goJson(target.shown) === goJson(edited)) return write(edited, `${referenceName(target)} skipped`);
  const note = appliedNote(edited);
  const api = await context.api();
  await api.json({
    method: 'PATCH',
    path: referencePath(target),
    query: { fieldManager: flags.fieldManager, fieldValidation: fieldValidationOf(flags.validate) },
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations: { [ANNOTATION_LAST_APPLIED]: note } } },
  });
  await write(edited, `${referenceName(target)} edited`);
}

import { withLastApplied } from '../apply/last-applied.js';
import { threeWayPatch } from '../apply/three-way-patch.js';
import { Failure } from '../cluster/failure.js';
import { fieldValidationOf, type FileFlags } from '../command-flags.js';
import type { EditFlags } from '../commands/edit.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { findObjects, referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { objectWriter, type ObjectWriter, type PrintFlags } from '../print-flags.js';
import { nothingNamed } from '../selection.js';
import { goJson } from '../printer/json.js';
import { withoutManagedFields } from '../printer/object-printer.js';
import type { AnyObject } from '../server-api.js';
import { runEditSession, type EditTarget } from './edit-session.js';
import { editAdvice, type EditFormat } from './edit-text.js';

/** How the editor shows objects. @throws Failure for what is neither yaml nor json. */
export function editFormatOf({ output }: PrintFlags): EditFormat {
  if (output === undefined || ['', 'yaml', 'kyaml'].includes(output)) return 'yaml';
  if (output === 'json') return 'json';
  throw new Failure(
    `unable to match a printer suitable for the output format "${output}", allowed formats are: json,kyaml,yaml`,
  );
}

/** What the words or files name; a type alone means all of its objects. */
export async function findToEdit(
  context: CommandContext,
  flags: FileFlags,
  words: readonly string[],
): Promise<FoundObject[]> {
  if (words.length === 0 && !flags.filename) throw new Failure(nothingNamed);
  const { filename: files, recursive: isRecursive } = flags;
  const isWholeType = words.length === 1 && !words[0]?.includes('/');
  const { found, errors } = await findObjects(context, { words, files, isRecursive, all: isWholeType });
  throwCollected(errors);
  return found;
}

/** Shows objects in the person's editor and sends what was changed as a patch. */
export async function runEdit(context: CommandContext, flags: EditFlags, words: readonly string[]): Promise<void> {
  const format = editFormatOf(flags);
  const found = await findToEdit(context, flags, words);
  if (found.length === 0) throw new Failure('edit cancelled, no objects found');
  const targets: (EditTarget & FoundObject)[] = found.map((each) => ({
    ...each,
    shown: flags.showManagedFields ? each.object : withoutManagedFields(each.object),
  }));
  const write = objectWriter(context, flags);
  await runEditSession(context, {
    head: { format, advice: editAdvice },
    withWindowsLineEnds: flags.windowsLineEndings,
    targets,
    isReopened: true,
    save: (target, edited) => saveOne(context, flags, { target, edited, write }),
  });
}

interface Saving {
  readonly target: EditTarget & FoundObject;
  readonly edited: AnyObject;
  readonly write: ObjectWriter;
}

async function saveOne(context: CommandContext, flags: EditFlags, saving: Saving): Promise<void> {
  const { target, write } = saving;
  const { shown } = target;
  const edited = flags.saveConfig ? withLastApplied(saving.edited) : saving.edited;
  const api = await context.api();
  const schema = await api.openApi.strategicSchema(target.type);
  const body = threeWayPatch(shown, edited, shown, schema);
  if (Object.keys(body).length === 0) return write(target.object, `${referenceName(target)} skipped`);
  requireSameIdentity(shown, edited, target.namespace);
  if (flags.outputPatch) context.print(`Patch: ${goJson(body)}`);
  const { fieldManager, subresource } = flags;
  const result = await api.json({
    method: 'PATCH',
    path: referencePath(target, subresource),
    query: { fieldManager, fieldValidation: fieldValidationOf(flags.validate) },
    contentType: schema ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json',
    body,
  });
  await write(result, `${referenceName(target)} edited`);
}

function requireSameIdentity(shown: AnyObject, edited: AnyObject, namespace: string | undefined): void {
  const given = edited.metadata.namespace;
  if (namespace !== undefined && given !== undefined && given !== namespace) {
    throw new Failure(
      `the namespace from the provided object "${given}" does not match the namespace "${namespace}". You must pass '--namespace=${given}' to perform this operation.`,
    );
  }
  const isSame =
    edited.apiVersion === shown.apiVersion &&
    edited.kind === shown.kind &&
    edited.metadata.name === shown.metadata.name;
  if (!isSame) throw new Failure('At least one of apiVersion, kind and name was changed');
}

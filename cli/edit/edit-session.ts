import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInvalid, isNotFound, StatusError } from '../../shared/errors/status-error.js';
import { ManifestError, readManifests } from '../../shared/manifest/manifest.js';
import { Failure } from '../cluster/failure.js';
import type { CommandContext } from '../context.js';
import { ExitError } from '../failures.js';
import { groupResource, type ResourceType } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';
import {
  editBody,
  withHead,
  withoutComments,
  withWindowsLineEnds,
  type EditHead,
  type EditReason,
} from './edit-text.js';

/** What is edited, and what happens to it afterwards. */
export interface Edit<Target extends EditTarget = EditTarget> {
  readonly head: EditHead;
  readonly withWindowsLineEnds: boolean;
  readonly targets: readonly Target[];
  /** Whether a refusal of the server is told in the editor, which opens again; else it is the end. */
  readonly isReopened: boolean;
  /** Sends one object as it is after the edit. */
  save(target: Target, edited: AnyObject): Promise<void>;
}

export interface EditTarget {
  readonly type: ResourceType;
  readonly name: string;
  /** As the editor shows it. */
  readonly shown: AnyObject;
}

/** How a save went that the server refused. */
interface Refusals {
  readonly reasons: EditReason[];
  hasRetryable: boolean;
  hasMissing: boolean;
}

/**
 * Shows objects in the person's editor and saves what was changed:
 *
 *     open -> unchanged, empty: done          -> a refusal: told above the text, open again
 *          -> changed: save each of them      -> unchanged since the refusal: the text stays in its file, exit code 1
 */
export async function runEditSession<Target extends EditTarget>(
  context: CommandContext,
  edit: Edit<Target>,
): Promise<void> {
  const lineEnds = edit.withWindowsLineEnds ? withWindowsLineEnds : (text: string): string => text;
  const file = new EditedFile(context, edit.head.format);
  const original = lineEnds(
    editBody(
      edit.targets.map(({ shown }) => shown),
      edit.head.format,
    ),
  );
  let [text, reasons]: [string, readonly EditReason[]] = [original, []];
  for (;;) {
    const edited = await file.open(lineEnds(withHead(text, edit.head, reasons)));
    const stripped = withoutComments(edited);
    if (reasons.length > 0 && stripped === withoutComments(text)) {
      throw file.kept(new Failure('Edit cancelled, no valid changes were saved.'));
    }
    if (stripped === withoutComments(original)) return file.drop('Edit cancelled, no changes made.');
    if (stripped.trim() === '') return file.drop('Edit cancelled, saved file was empty.');
    text = stripped;
    reasons = await saveAll(context, edit, stripped, file);
    if (reasons.length === 0) return file.drop();
  }
}

async function saveAll<Target extends EditTarget>(
  context: CommandContext,
  edit: Edit<Target>,
  text: string,
  file: EditedFile,
): Promise<EditReason[]> {
  let objects: AnyObject[];
  try {
    objects = parsed(text, file.path);
  } catch (error) {
    return [unreadable(context, edit, error)];
  }
  const refusals: Refusals = { reasons: [], hasRetryable: false, hasMissing: false };
  for (const edited of objects) {
    const target = targetOf(edit.targets, edited);
    if (!target) throw file.kept(new Failure(`no original object found for ${nameOfEdited(edited)}`));
    try {
      await edit.save(target, edited);
    } catch (error) {
      if (!(error instanceof StatusError) || !edit.isReopened) throw file.kept(error);
      context.tell(refused(error, target, refusals));
    }
  }
  if (refusals.hasRetryable) {
    context.tell(`You can run \`knarr replace -f ${file.path}\` to try this update again.`);
    throw new ExitError(1);
  }
  if (refusals.hasMissing) {
    context.tell(`The edits you made on deleted resources have been saved to ${JSON.stringify(file.path)}`);
    throw new ExitError(1);
  }
  return refusals.reasons;
}

/** Invalid is for the person to mend; what else the server refuses no second edit of the same text can change. */
function refused(error: StatusError, { type, name }: EditTarget, refusals: Refusals): string {
  const what = `${groupResource(type)} ${JSON.stringify(name)}`;
  if (isInvalid(error)) {
    const other = (error.details?.causes ?? []).map(({ field = '', message = '' }) => `${field}: ${message}`);
    refusals.reasons.push({ head: `${what} was not valid`, other });
    return `error: ${what} is invalid`;
  }
  if (isNotFound(error)) {
    refusals.hasMissing = true;
    return `error: ${what} could not be found on the server`;
  }
  refusals.hasRetryable = true;
  return `error: ${what} could not be patched: ${error.message}`;
}

function unreadable(context: CommandContext, { targets }: Pick<Edit, 'targets'>, error: unknown): EditReason {
  if (!(error instanceof ManifestError) && !(error instanceof Failure)) throw error;
  const [first] = targets;
  const what = first ? `${groupResource(first.type)} ${JSON.stringify(first.name)}` : '';
  context.tell(`error: ${what} is invalid`);
  return {
    head: `${what} was not valid`,
    other: [`<nil>: Invalid value: "The edited file failed validation": ${error.message}`],
  };
}

/** By uid, as far as there is one: the name may be what was changed. */
function targetOf<Target extends EditTarget>(targets: readonly Target[], edited: AnyObject): Target | undefined {
  const { uid, name } = edited.metadata;
  if (targets.length === 1 && targets[0]?.shown.metadata.uid === uid) return targets[0];
  return targets.find(({ shown }) =>
    uid === undefined ? shown.kind === edited.kind && shown.metadata.name === name : shown.metadata.uid === uid,
  );
}

const nameOfEdited = ({ kind, metadata }: AnyObject): string => `${kind} ${JSON.stringify(metadata.name ?? '')}`;

function parsed(text: string, file: string): AnyObject[] {
  const objects = readManifests(text, { file }).map(({ value }) => value as AnyObject | undefined);
  return objects.flatMap((object) => {
    const missing = ['apiVersion', 'kind'].filter((field) => typeof object?.[field] !== 'string');
    if (object === undefined || object === null || missing.length > 0)
      throw new Failure(`${file}: ${missing.map((field) => `${field} not set`).join(', ')}`);
    if (Array.isArray(object['items'])) return object['items'] as AnyObject[];
    return [{ ...object, metadata: object.metadata ?? {} }];
  });
}

/** A shell reads the words of an editor only where there are quotes in them, as with kubectl. */
const editorCommand = (editor: string, shell: string, path: string): string[] =>
  /["'\\]/.test(editor) ? [shell, '-c', `${editor} "$0"`, path] : [...editor.split(' '), path];

/** The file that the editor opens; it stays where there is something in it that was not saved. */
class EditedFile {
  readonly path: string;
  readonly #context: CommandContext;

  constructor(context: CommandContext, format: string) {
    this.#context = context;
    this.path = join(tmpdir(), `kubectl-edit-${randomInt(1_000_000_000)}.${format}`);
  }

  /** The text after the editor has ended. @throws Failure when the editor fails. */
  async open(text: string): Promise<string> {
    writeFileSync(this.path, text, { mode: 0o600 });
    const { env } = this.#context.terminal;
    const editor = env['KUBE_EDITOR'] || env['EDITOR'] || 'vi';
    const [program = '', ...args] = editorCommand(editor, env['SHELL'] || '/bin/bash', this.path);
    const child = spawn(program, args, { stdio: 'inherit', env: { ...env } });
    const exitCode = await new Promise<number>((done, fail) => {
      child.once('error', fail);
      child.once('close', (code) => done(code ?? 1));
    });
    if (exitCode !== 0) throw this.kept(new Failure(`there was a problem with the editor "${editor}"`), false);
    return readFileSync(this.path, 'utf8');
  }

  drop(word?: string): void {
    rmSync(this.path, { force: true });
    if (word !== undefined) this.#context.tell(word);
  }

  /** The same failure; the person is told where the text is. */
  kept(error: unknown, isEdited = true): unknown {
    if (isEdited && existsSync(this.path))
      this.#context.tell(`A copy of your changes has been stored to ${JSON.stringify(this.path)}`);
    return error;
  }
}

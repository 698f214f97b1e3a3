import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readManifests } from '../../shared/manifest/manifest.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import type { EditFlags } from '../commands/edit.js';
import type { CommandContext } from '../context.js';
import { failureText, throwCollected } from '../failures.js';
import { findObjects, referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { withoutManagedFields } from '../printer/object-printer.js';
import { groupResource } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';
import { editText, mergePatch, withHead, withoutComments } from './edit-text.js';

/** Shows objects in the person's editor and sends what was changed; opens it again with what the server said of a refusal. */
export async function runEdit(context: CommandContext, flags: EditFlags, words: readonly string[]): Promise<void> {
  const { output } = flags;
  if (output !== 'yaml' && output !== 'json')
    throw new Failure(
      `unable to match a printer suitable for the output format "${flags.output}", allowed formats are: json,yaml`,
    );
  if (words.length === 0 && !flags.filename) throw new Failure(`must specify one of -f and -k`);
  const { filename: files, recursive: isRecursive } = flags;
  const isWholeType = words.length === 1 && !words[0]?.includes('/');
  const { found, errors } = await findObjects(context, { words, files, isRecursive, all: isWholeType });
  throwCollected(errors);
  if (found.length === 0) throw new Failure('edit cancelled, no objects found');
  const session = new EditSession(context, flags, found);
  await session.run();
}

class EditSession {
  readonly #context: CommandContext;
  readonly #flags: EditFlags;
  readonly #targets: readonly FoundObject[];
  readonly #path: string;

  constructor(context: CommandContext, flags: EditFlags, targets: readonly FoundObject[]) {
    this.#context = context;
    this.#flags = flags;
    this.#targets = targets;
    this.#path = join(tmpdir(), `kubectl-edit-${randomInt(1_000_000_000)}.${flags.output}`);
  }

  async run(): Promise<void> {
    const original = editText(
      this.#targets.map(({ object }) => withoutManagedFields(object)),
      this.#flags.output,
    );
    let shown = original;
    let problems: string[] = [];
    for (;;) {
      const edited = await this.#open(shown);
      const before = withoutComments(shown);
      if (withoutComments(edited).trim() === '') return this.#cancel('Edit cancelled, saved file was empty.');
      if (withoutComments(edited) === before) {
        if (problems.length === 0) return this.#cancel('Edit cancelled, no changes made.');
        this.#context.tell(problems.join('\n'));
        this.#context.tell(this.#kept());
        throw new Failure('Edit cancelled, no valid changes were saved.');
      }
      problems = await this.#save(edited);
      if (problems.length === 0) return rmSync(this.#path, { force: true });
      shown = withHead(edited, problems);
    }
  }

  #cancel(text: string): void {
    rmSync(this.#path, { force: true });
    this.#context.tell(text);
  }

  #kept = (): string => `A copy of your changes has been stored to "${this.#path}"`;

  /** The text after the editor has ended. @throws Failure when the editor fails. */
  async #open(text: string): Promise<string> {
    writeFileSync(this.#path, text, { mode: 0o600 });
    const { env } = this.#context.terminal;
    const editor = env['KUBE_EDITOR'] || env['EDITOR'] || 'vi';
    const child = spawn('/bin/sh', ['-c', `${editor} "$0"`, this.#path], { stdio: 'inherit' });
    const exitCode = await new Promise<number>((done, fail) => {
      child.once('error', fail);
      child.once('close', (code) => done(code ?? 1));
    });
    if (exitCode !== 0) throw new Failure(`there was a problem with the editor "${editor}"`);
    return readFileSync(this.#path, 'utf8');
  }

  /** Sends the changes; resolves with what was wrong. */
  async #save(text: string): Promise<string[]> {
    let objects: AnyObject[];
    try {
      objects = parsed(text, this.#path);
    } catch (error) {
      return [failureText(error)];
    }
    const problems: string[] = [];
    for (const [index, target] of this.#targets.entries()) {
      const edited = objects[index];
      try {
        if (edited) await this.#saveOne(target, edited);
      } catch (error) {
        if (!(error instanceof StatusError) && !(error instanceof Failure)) throw error;
        problems.push(
          error instanceof Failure
            ? `error: ${error.message}`
            : `error: ${groupResource(target.type)} "${target.name}" was not valid:\n* ${failureText(error)}`,
        );
      }
    }
    return problems;
  }

  async #saveOne(target: FoundObject, edited: AnyObject): Promise<void> {
    const { context } = { context: this.#context };
    if (edited.apiVersion !== target.object.apiVersion || edited.kind !== target.object.kind)
      throw new Failure(`${groupResource(target.type)} "${target.name}" is invalid`);
    if (edited.metadata?.name !== target.name)
      throw new Failure('At least one of apiVersion, kind and name was changed');
    const body = mergePatch(withoutManagedFields(target.object), edited);
    if (!body) {
      if (this.#targets.length > 1) context.print(`${referenceName(target)} skipped`);
      return;
    }
    const { fieldManager, subresource } = this.#flags;
    const api = await context.api();
    await api.json({
      method: 'PATCH',
      path: referencePath(target, subresource),
      query: { fieldManager, fieldValidation: 'Strict' },
      contentType: 'application/merge-patch+json',
      body,
    });
    context.print(`${referenceName(target)} edited`);
  }
}

function parsed(text: string, file: string): AnyObject[] {
  const objects = readManifests(withoutComments(text), { file }).map(({ value }) => value as AnyObject);
  return objects.flatMap((object) => (Array.isArray(object['items']) ? (object['items'] as AnyObject[]) : [object]));
}

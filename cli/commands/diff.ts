import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { ANNOTATION_LAST_APPLIED } from '../../shared/api/well-known.js';
import { formatManifest } from '../../shared/manifest/format.js';
import { lastApplied, withLastApplied } from '../apply/last-applied.js';
import { threeWayPatch } from '../apply/three-way-patch.js';
import { Failure } from '../cluster/failure.js';
import { addFileFlags, type FileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { ExitError, failureText, throwCollected } from '../failures.js';
import { booleanFlag } from '../flags.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { resourcePath } from '../../shared/api/resource.js';
import { explainRefusal, placedObjects, withLabels, type PlacedObject } from '../manifest-objects.js';
import { withoutManagedFields } from '../printer/object-printer.js';
import type { AnyObject } from '../server-api.js';

interface DiffFlags extends FileFlags {
  serverSide: boolean;
  forceConflicts: boolean;
  fieldManager?: string;
  selector?: string;
  showManagedFields: boolean;
  showSecrets: boolean;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('diff')
    .description('show what an apply would change; exit code 1 when there is something')
    .usage('-f FILENAME [flags]')
    .option('-l, --selector <query>', 'label selector: only these of the files')
    .option('--field-manager <name>', 'name under which the server would note the change')
    .addOption(booleanFlag('--server-side', 'as apply --server-side'))
    .addOption(booleanFlag('--force-conflicts', 'as apply --force-conflicts'))
    .addOption(booleanFlag('--show-managed-fields', 'compare managedFields too'))
    .addOption(booleanFlag('--show-secrets', 'show the values of Secrets'));
  addFileFlags(command);
  host.bind<DiffFlags>(command, async (context, flags, args) => {
    try {
      await runDiff(context, flags, args);
    } catch (error) {
      if (error instanceof ExitError || context.signal.aborted) throw error;
      // 1 says that there are differences, so a failure must be something else.
      context.tell(failureText(error, context.server));
      throw new ExitError(2);
    }
  });
}

async function runDiff(
  context: CommandContext,
  flags: DiffFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (words.length > 0)
    throw new Failure(`Unexpected args: [${words.join(' ')}]\nSee 'knarr diff -h' for help and examples`);
  if (!flags.filename) throw new Failure('must specify one of -f and -k');
  const { objects, errors } = await placedObjects(context, { files: flags.filename, isRecursive: flags.recursive });
  throwCollected(errors);
  const directories = await Promise.all(['LIVE-', 'MERGED-'].map((prefix) => mkdtemp(join(tmpdir(), prefix))));
  try {
    for (const placed of withLabels(objects, flags.selector)) await writePair(context, flags, placed, directories);
    const exitCode = await runDiffProgram(context, directories);
    if (exitCode !== 0) throw new ExitError(exitCode);
  } finally {
    await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })));
  }
}

async function writePair(
  context: CommandContext,
  flags: DiffFlags,
  placed: PlacedObject,
  directories: readonly string[],
): Promise<void> {
  const api = await context.api();
  const { type, object, namespace } = placed;
  const path = resourcePath(type, namespace, object.metadata.name ?? '');
  const live = await api.json({ path }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  let merged: AnyObject;
  try {
    merged = await mergedObject(context, flags, placed, live);
  } catch (error) {
    throw await explainRefusal(error, placed, api, 'diffing');
  }
  const group = type.group === '' ? '' : `${type.group}.`;
  const file = `${group}${type.version}.${type.kind}.${namespace ?? ''}.${object.metadata.name ?? ''}`;
  const shown = (each: AnyObject): string =>
    formatManifest(withoutLastApplied(flags.showManagedFields ? each : withoutManagedFields(each)));
  const isMasked = type.group === '' && type.kind === 'Secret' && !flags.showSecrets;
  const hide = isMasked ? maskedSecrets(live, merged) : { live, merged };
  if (hide.live) await writeFile(join(directories[0] ?? '', file), shown(hide.live), { mode: 0o600 });
  await writeFile(join(directories[1] ?? '', file), shown(hide.merged), { mode: 0o600 });
}

async function mergedObject(
  context: CommandContext,
  flags: DiffFlags,
  { type, object, namespace }: PlacedObject,
  live: AnyObject | undefined,
): Promise<AnyObject> {
  const api = await context.api();
  const path = resourcePath(type, namespace, object.metadata.name ?? '');
  const fieldManager = flags.fieldManager ?? (flags.serverSide ? 'kubectl' : 'kubectl-client-side-apply');
  const query = { dryRun: 'All', fieldManager };
  if (flags.serverSide) {
    const apply = { contentType: 'application/apply-patch+yaml', body: object };
    return api.json({ method: 'PATCH', path, query: { ...query, force: flags.forceConflicts }, ...apply });
  }
  if (!live)
    return api.json({ method: 'POST', path: resourcePath(type, namespace), query, body: withLastApplied(object) });
  const schema = await api.openApi.strategicSchema(type);
  const body = threeWayPatch(lastApplied(live) ?? {}, withLastApplied(object), live, schema);
  const contentType = schema ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json';
  return api.json({ method: 'PATCH', path, query, contentType, body });
}

/** The note of `apply` is no difference that anyone made. */
function withoutLastApplied(object: AnyObject): AnyObject {
  const { annotations, ...metadata } = object.metadata;
  const { [ANNOTATION_LAST_APPLIED]: _, ...rest } = annotations ?? {};
  return { ...object, metadata: { ...metadata, ...(Object.keys(rest).length > 0 ? { annotations: rest } : {}) } };
}

/** Values of Secrets are not printed unless somebody asks for them: only whether they differ. */
function maskedSecrets(
  live: AnyObject | undefined,
  merged: AnyObject,
): { live: AnyObject | undefined; merged: AnyObject } {
  const before = (live?.['data'] ?? {}) as Record<string, string>;
  const after = (merged['data'] ?? {}) as Record<string, string>;
  const mask = (own: Record<string, string>, other: Record<string, string>, word: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(own).map(([key, value]) => [
        key,
        other[key] === undefined || other[key] === value ? '***' : `*** (${word})`,
      ]),
    );
  return {
    live: live && { ...live, data: mask(before, after, 'before') },
    merged: { ...merged, data: mask(after, before, 'after') },
  };
}

/** diff's own exit code: 0 same, 1 different, more is a failure. KUBECTL_EXTERNAL_DIFF names another program. */
function runDiffProgram({ terminal }: CommandContext, directories: readonly string[]): Promise<number> {
  const [program = 'diff', ...given] = (terminal.env['KUBECTL_EXTERNAL_DIFF'] || 'diff -u -N').split(' ');
  const args = [...given, ...directories];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], signal: terminal.signal });
    child.stdout.on('data', (chunk: Buffer) => void terminal.stdout.write(chunk));
    child.stderr.on('data', (chunk: Buffer) => void terminal.stderr.write(chunk));
    child.once('error', (error) => reject(new Failure(`failed to run "${program}": ${error.message}`)));
    child.once('close', (code) => resolve(code ?? 2));
  });
}

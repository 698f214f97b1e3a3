import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { equalJson } from '../../shared/api/json.js';
import { readManifests } from '../../shared/manifest/manifest.js';
import { Failure } from '../cluster/failure.js';
import { addFileFlags, dryRunFlag, dryRunOf, type FileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { findObjects, referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { booleanFlag } from '../flags.js';
import { localObjects } from '../local-objects.js';
import { isPatchType, patchHere, type PatchType } from '../local-patch.js';
import { addPrintFlags, objectWriter, type PrintFlags } from '../print-flags.js';
import { nameOf } from '../printer/object-printer.js';
import type { AnyObject } from '../server-api.js';
import { TypeTables } from '../type-tables.js';

interface PatchFlags extends FileFlags, PrintFlags {
  local: boolean;
  patch?: string;
  patchFile?: string;
  type: string;
  subresource?: string;
  dryRun: string;
  fieldManager: string;
}

const contentTypes: Readonly<Record<PatchType, string>> = {
  strategic: 'application/strategic-merge-patch+json',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
};

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('patch')
    .description('change fields of objects')
    .usage('(-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE] [flags]')
    .option('-p, --patch <patch>', 'the patch, in JSON or YAML')
    .option('--patch-file <file>', 'a file with the patch')
    .option('--subresource <name>', 'status or scale instead of the object')
    .option('--field-manager <name>', 'name under which the server notes the change', 'kubectl-patch')
    .addOption(new Option('--type <type>', 'strategic, merge or json').default('strategic'))
    .addOption(booleanFlag('--local', 'change what files hold, and ask no server'))
    .addOption(dryRunFlag());
  addFileFlags(addPrintFlags(command));
  host.bind<PatchFlags>(command, runPatch);
}

async function runPatch(
  context: CommandContext,
  flags: PatchFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  const { type } = flags;
  if (!isPatchType(type))
    throw new Failure('--type must be one of [json merge strategic], not ' + JSON.stringify(type));
  const patch = { type, body: patchBody(flags), types: new TypeTables() };
  const query = { words, files: flags.filename, isRecursive: flags.recursive };
  const { found, errors } = flags.local
    ? { found: await localObjects(context, flags), errors: [] }
    : await findObjects(context, query);
  for (const target of found) {
    try {
      await patchOne(context, flags, target, patch);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

function patchBody({ patch, patchFile }: PatchFlags): unknown {
  if ((patch === undefined) === (patchFile === undefined)) {
    throw new Failure('must specify --patch or --patch-file containing the contents of the patch');
  }
  const text = patch ?? readFileSync(patchFile ?? '', 'utf8');
  const [document] = readManifests(text, { file: patchFile ?? '--patch' });
  if (!document) throw new Failure('unable to parse the patch: it is empty');
  return document.value;
}

interface Patch {
  readonly type: PatchType;
  readonly body: unknown;
  readonly types: TypeTables;
}

async function patchOne(context: CommandContext, flags: PatchFlags, target: FoundObject, patch: Patch): Promise<void> {
  const dryRun = dryRunOf(flags.dryRun);
  const isHere = flags.local || dryRun === 'client';
  const patched = isHere
    ? patchHere(target.object, patch.body, patch.type, patch.types)
    : await patchedThere(context, flags, target, patch);
  // A subresource may be of another form than the object.
  const isChanged = flags.subresource
    ? patched.metadata.resourceVersion !== target.object.metadata.resourceVersion
    : !equalJson(patched, target.object);
  const name = flags.subresource === undefined ? referenceName(target) : nameOf(patched);
  // kubectl does not say that it was a dry run.
  const message = `${name} patched${isChanged ? '' : ' (no change)'}`;
  await objectWriter(context, flags)(patched, message);
}

async function patchedThere(
  context: CommandContext,
  flags: PatchFlags,
  target: FoundObject,
  { type, body }: Patch,
): Promise<AnyObject> {
  const api = await context.api();
  return api.json({
    method: 'PATCH',
    path: referencePath(target, flags.subresource),
    query: { dryRun: flags.dryRun === 'server' ? 'All' : undefined, fieldManager: flags.fieldManager },
    contentType: contentTypes[type],
    body,
  });
}

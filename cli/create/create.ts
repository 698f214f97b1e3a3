import { resourcePath } from '../../shared/api/resource.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { withLastApplied } from '../apply/last-applied.js';
import { Failure } from '../cluster/failure.js';
import { dryRunOf, dryRunSuffix, fieldValidationOf, type FileFlags, type WriteFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { editFormatOf } from '../edit/edit.js';
import { runEditSession } from '../edit/edit-session.js';
import { editAdvice } from '../edit/edit-text.js';
import { throwCollected } from '../failures.js';
import { assumedType } from '../local-objects.js';
import { explainRefusal, placedObjects, withLabels, type PlacedObject } from '../manifest-objects.js';
import { objectWriter } from '../print-flags.js';
import { objectName, type ResourceType } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';

export interface CreateOptions {
  saveConfig: boolean;
}
export interface CreateFilesFlags extends FileFlags, WriteFlags, CreateOptions {
  edit: boolean;
  selector?: string;
  windowsLineEndings: boolean;
}

export async function createFromFiles(
  context: CommandContext,
  flags: CreateFilesFlags,
  words: readonly string[],
): Promise<void> {
  if (words.length > 0)
    throw new Failure(`Unexpected args: [${words.join(' ')}]\nSee 'knarr create -h' for help and examples`);
  if (!flags.filename) throw new Failure('must specify one of -f and -k');
  const { objects, errors } = await placedObjects(context, { files: flags.filename, isRecursive: flags.recursive });
  const chosen = withLabels(objects, flags.selector);
  if (chosen.length === 0 && errors.length === 0) throw new Failure('no objects passed to create');
  const api = await context.api();
  for (const placed of chosen) {
    try {
      if (flags.edit) await createEdited(context, flags, placed);
      else await createOne(context, flags, placed);
    } catch (error) {
      errors.push(flags.edit ? error : await explainRefusal(error, placed, api));
    }
  }
  throwCollected(errors);
}

/** Shows an object in the person's editor before it is created. Where nothing was changed there, nothing is. */
async function createEdited(context: CommandContext, flags: CreateFilesFlags, placed: PlacedObject): Promise<void> {
  const { type, object } = placed;
  await runEditSession(context, {
    head: { format: editFormatOf(flags), advice: editAdvice },
    withWindowsLineEnds: flags.windowsLineEndings,
    targets: [{ type, name: object.metadata.name ?? '', shown: object }],
    isReopened: false,
    save: async (_target, edited) => void (await createOne(context, flags, { ...placed, object: edited })),
  });
}

/** Creates what a generator made, in the namespace of the command. */
export async function createGenerated(
  context: CommandContext,
  flags: WriteFlags & CreateOptions,
  object: AnyObject,
  options: { readonly fieldManager?: string; readonly done?: string; readonly isPlainError?: boolean } = {},
): Promise<AnyObject> {
  const [mapper, namespace] = await Promise.all([context.mapper(), context.namespace()]);
  const isClientSide = dryRunOf(flags.dryRun) === 'client';
  const type = mapper.forKind(object.apiVersion, object.kind) ?? (isClientSide ? assumedType(object) : undefined);
  if (!type) throw new Failure(`no matches for kind "${object.kind}" in version "${object.apiVersion}"`);
  // A printed dry run shows the namespace only when somebody asked for it.
  const shown = dryRunOf(flags.dryRun) !== 'client' || flags.namespace !== undefined;
  const placed = type.namespaced && shown ? { ...object, metadata: { ...object.metadata, namespace } } : object;
  try {
    const place = { type, object: placed, namespace: type.namespaced ? namespace : undefined };
    return await createOne(
      context,
      { ...flags, fieldManager: flags.fieldManager ?? options.fieldManager },
      place,
      options.done,
    );
  } catch (error) {
    const isPlain = ['Namespace', 'Role', 'ClusterRole'].includes(type.kind) || options.isPlainError === true;
    if (!(error instanceof StatusError) || isPlain) throw error;
    throw new Failure(`failed to create ${failedKind(type, object)} ${error.message}`);
  }
}

/** As kubectl's generators call what they could not create. */
function failedKind({ kind, singular }: ResourceType, object: AnyObject): string {
  switch (kind) {
    case 'Secret':
      return 'secret';
    case 'ResourceQuota':
      return 'quota:';
    case 'PodDisruptionBudget':
      return 'poddisruptionbudgets:';
    case 'Service':
      return `${(object['spec'] as { type?: string }).type ?? 'ClusterIP'} service:`;
    default:
      return `${singular}:`;
  }
}

async function createOne(
  context: CommandContext,
  flags: Omit<WriteFlags, 'fieldManager'> & CreateOptions & { fieldManager?: string | undefined },
  { type, object, namespace }: { type: ResourceType; object: AnyObject; namespace: string | undefined },
  done = 'created',
): Promise<AnyObject> {
  const dryRun = dryRunOf(flags.dryRun);
  const body = flags.saveConfig ? withLastApplied(object) : object;
  const query = {
    dryRun: dryRun === 'server' ? 'All' : undefined,
    fieldManager: flags.fieldManager ?? 'kubectl-create',
    fieldValidation: fieldValidationOf(flags.validate),
  };
  const api = await context.api();
  const created =
    dryRun === 'client' ? body : await api.json({ method: 'POST', path: resourcePath(type, namespace), query, body });
  const message = `${objectName(type, created.metadata.name ?? '')} ${done}${dryRunSuffix(dryRun)}`;
  await objectWriter(context, flags)(created, message);
  return created;
}

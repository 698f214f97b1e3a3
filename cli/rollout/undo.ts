import { deploymentOwnAnnotations } from '../../shared/api/deployment.js';
import type { PodTemplateSpec } from '../../shared/api/generated/types.js';
import { ANNOTATION_LAST_APPLIED } from '../../shared/api/well-known.js';
import { Failure } from '../cluster/failure.js';
import { dryRunOf, dryRunSuffix, type DryRun, type FileFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { objectWriter, type PrintFlags } from '../print-flags.js';
import { workloads } from './change.js';
import { templateText } from './history.js';
import {
  assertHasRevisions,
  isSameTemplate,
  revisionsOf,
  revisionToRestore,
  withoutHash,
  type Revision,
} from './revisions.js';

export interface UndoFlags extends FileFlags, PrintFlags {
  selector?: string;
  toRevision: number;
  dryRun: string;
}

export async function runUndo(
  context: CommandContext,
  flags: UndoFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (words.length === 0 && !flags.filename) throw new Failure('required resource not specified');
  const dryRun = dryRunOf(flags.dryRun);
  const write = objectWriter(context, flags);
  const { found, errors } = await workloads(context, flags, words);
  for (const target of found) {
    if (target.object.metadata.annotations?.[ANNOTATION_LAST_APPLIED] !== undefined) {
      context.tell(
        `Warning: resource ${target.type.resource}/${target.name} was previously managed with 'knarr apply'. Rolling back will not update the ${ANNOTATION_LAST_APPLIED} annotation, which may cause unexpected behavior on future 'knarr apply' operations. Consider using 'knarr apply' with your previous configuration file instead.`,
      );
    }
    try {
      assertHasRevisions(target, 'rollbacker');
      const done = await undo(context, target, { wanted: flags.toRevision, dryRun });
      await write(target.object, `${referenceName(target)} ${done}${dryRunSuffix(dryRun)}`);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

/** Brings the pods' template back, and says so. */
async function undo(
  context: CommandContext,
  target: FoundObject,
  { wanted, dryRun }: { wanted: number; dryRun: DryRun },
): Promise<string> {
  const revision = revisionToRestore(target, await revisionsOf(context, target), wanted);
  const spec = target.object['spec'] as { paused?: boolean; template: PodTemplateSpec };
  if (dryRun === 'client')
    return `${target.type.kind === 'Deployment' ? '' : 'will roll back to '}${templateText(revision.template)}`;
  if (spec.paused) {
    throw new Failure(
      `you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again`,
    );
  }
  if (isSameTemplate(spec.template, withoutHash(revision.template))) {
    return `skipped rollback (current template already matches revision ${wanted})`;
  }
  const api = await context.api();
  await api.json({
    method: 'PATCH',
    path: referencePath(target),
    query: { dryRun: dryRun === 'server' ? 'All' : undefined, fieldManager: 'kubectl-rollout' },
    ...restoringPatch(target, revision),
  });
  return 'rolled back';
}

interface Patch {
  readonly contentType: string;
  readonly body: object;
}

function restoringPatch({ type, object }: FoundObject, revision: Revision): Patch {
  if (type.kind !== 'Deployment') {
    const { template } = revision;
    const body = { spec: { template: { ...template, $patch: 'replace' } } };
    return { contentType: 'application/strategic-merge-patch+json', body };
  }
  const annotations = restoredAnnotations(object.metadata.annotations, revision.object.metadata.annotations);
  const body = [
    { op: 'replace', path: '/spec/template', value: withoutHash(revision.template) },
    // `add` sets them where there are none, too.
    { op: 'add', path: '/metadata/annotations', value: annotations },
  ];
  return { contentType: 'application/json-patch+json', body };
}

/** A Deployment's annotations after it went back: those of the revision, but its own where they are about itself. */
export function restoredAnnotations(
  now: Readonly<Record<string, string>> = {},
  then: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return Object.fromEntries([
    ...Object.entries(now).filter(([key]) => deploymentOwnAnnotations.has(key)),
    ...Object.entries(then).filter(([key]) => !deploymentOwnAnnotations.has(key)),
  ]);
}

import type { Deployment, PodTemplateSpec, ReplicaSet } from '../../shared/api/generated/types.js';
import { formatLabelSelector } from '../../shared/api/selector.js';
import {
  ANNOTATION_CHANGE_CAUSE,
  ANNOTATION_DEPLOYMENT_REVISION,
  LABEL_POD_TEMPLATE_HASH,
} from '../../shared/api/well-known.js';
import { Failure } from '../cluster/failure.js';
import { dryRunOf, dryRunSuffix, type FileFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { describePodTemplate } from '../describe/pod-template.js';
import { Lines } from '../describe/lines.js';
import { throwCollected } from '../failures.js';
import { listObjects, referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { workloads } from './change.js';

export interface RevisionFlags extends FileFlags {
  selector?: string;
  revision?: number;
  toRevision?: number;
  dryRun?: string;
}

interface Revision {
  readonly number: number;
  readonly replicaSet: ReplicaSet;
}

/** Kinds that kubectl knows, and knows to be without revisions. */
const withoutRevisions = new Set(['Job.batch', 'CronJob.batch', 'Pod.', 'ReplicationController.', 'ReplicaSet.apps']);

/** Why a kind has no revisions, in kubectl's words for what looks at them: a history viewer or a rollbacker. */
function refusal({ kind, group }: FoundObject['type'], viewer: 'history viewer' | 'rollbacker'): Failure {
  if (withoutRevisions.has(`${kind}.${group}`)) return new Failure(`no ${viewer} has been implemented for "${kind}"`);
  const what = viewer === 'rollbacker' ? viewer : 'history';
  return new Failure(`error retrieving ${what} for "${kind}", no visitor method exists for {${group} ${kind}}`);
}

/** Revisions of a Deployment, the oldest first: its ReplicaSets carry them. */
async function revisionsOf(
  context: CommandContext,
  target: FoundObject,
  viewer: 'history viewer' | 'rollbacker',
): Promise<Revision[]> {
  if (target.type.kind !== 'Deployment') throw refusal(target.type, viewer);
  const deployment = target.object as unknown as Deployment;
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const type = mapper.resolve('replicasets.apps');
  const labelSelector = formatLabelSelector(deployment.spec.selector);
  const found = await listObjects(api, type, { namespace: target.namespace, labelSelector });
  return found
    .map(({ object }) => object as unknown as ReplicaSet)
    .filter((set) =>
      set.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === deployment.metadata.uid),
    )
    .map((replicaSet) => ({
      number: Number(replicaSet.metadata.annotations?.[ANNOTATION_DEPLOYMENT_REVISION] ?? 0),
      replicaSet,
    }))
    .filter(({ number }) => number > 0)
    .sort((a, b) => a.number - b.number);
}

export async function runHistory(
  context: CommandContext,
  flags: RevisionFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if ((flags.revision ?? 0) < 0) throw new Failure(`revision must be a positive integer: ${flags.revision}`);
  const { found, errors } = await workloads(context, flags, words, 'history');
  for (const target of found) {
    try {
      const revisions = await revisionsOf(context, target, 'history viewer');
      context.print(flags.revision ? revisionText(target, revisions, flags.revision) : historyText(target, revisions));
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

function historyText(target: FoundObject, revisions: readonly Revision[]): string {
  const rows = revisions.map(({ number, replicaSet }) => [
    String(number),
    replicaSet.metadata.annotations?.[ANNOTATION_CHANGE_CAUSE] ?? '<none>',
  ]);
  const width = Math.max('REVISION'.length, ...rows.map(([number = '']) => number.length)) + 2;
  const lines = [['REVISION', 'CHANGE-CAUSE'], ...rows].map(([left = '', right = '']) => left.padEnd(width) + right);
  return `${referenceName(target)} \n${lines.join('\n')}\n`;
}

function revisionText(target: FoundObject, revisions: readonly Revision[], wanted: number): string {
  const revision = revisions.find(({ number }) => number === wanted);
  if (!revision) throw new Failure(`unable to find the specified revision`);
  const lines = new Lines();
  const cause = revision.replicaSet.metadata.annotations?.[ANNOTATION_CHANGE_CAUSE];
  const template = revision.replicaSet.spec?.template;
  if (template) {
    const annotations = { ...template.metadata?.annotations, ...(cause ? { [ANNOTATION_CHANGE_CAUSE]: cause } : {}) };
    describePodTemplate(lines, { ...template, metadata: { ...template.metadata, annotations } } as PodTemplateSpec);
  }
  return `${referenceName(target)} with revision #${wanted}\n${lines.rawText()}`;
}

export async function runUndo(
  context: CommandContext,
  flags: RevisionFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  const { found, errors } = await workloads(context, flags, words, 'undo');
  for (const target of found) {
    try {
      await undo(context, flags, target);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

async function undo(context: CommandContext, flags: RevisionFlags, target: FoundObject): Promise<void> {
  const wanted = flags.toRevision ?? 0;
  if (wanted < 0) throw new Failure(`unable to find specified revision ${wanted} in history`);
  const deployment = target.object as unknown as Deployment;
  const template = templateToRestore(deployment, await revisionsOf(context, target, 'rollbacker'), wanted);
  const dryRun = dryRunOf(flags.dryRun ?? 'none');
  if (deployment.spec.paused) {
    throw new Failure(
      `you cannot rollback a paused deployment; resume it first with 'knarr rollout resume deployment/${target.name}' and try again`,
    );
  }
  if (template.isCurrent) {
    return context.print(
      `${referenceName(target)} skipped rollback (current template already matches revision ${template.number})${dryRunSuffix(dryRun)}`,
    );
  }
  if (dryRun !== 'client') {
    const api = await context.api();
    await api.json({
      method: 'PATCH',
      path: referencePath(target),
      query: { dryRun: dryRun === 'server' ? 'All' : undefined, fieldManager: 'kubectl-rollout' },
      contentType: 'application/json-patch+json',
      body: [{ op: 'replace', path: '/spec/template', value: template.value }],
    });
  }
  context.print(`${referenceName(target)} rolled back${dryRunSuffix(dryRun)}`);
}

interface TemplateToRestore {
  readonly number: number;
  readonly value: PodTemplateSpec;
  readonly isCurrent: boolean;
}

/** The template of the wanted revision, or of the one before the current. @throws Failure when there is none. */
export function templateToRestore(
  deployment: Deployment,
  revisions: readonly { readonly number: number; readonly replicaSet: ReplicaSet }[],
  wanted: number,
): TemplateToRestore {
  const revision = wanted === 0 ? revisions.at(-2) : revisions.find(({ number }) => number === wanted);
  if (!revision) {
    throw new Failure(
      wanted === 0
        ? `no rollout history found for deployment "${deployment.metadata.name}"`
        : `unable to find specified revision ${wanted} in history`,
    );
  }
  const template = revision.replicaSet.spec?.template;
  const { [LABEL_POD_TEMPLATE_HASH]: _, ...labels } = template?.metadata?.labels ?? {};
  const value = { ...template, metadata: { ...template?.metadata, labels } } as PodTemplateSpec;
  const latest = revisions.at(-1);
  const isCurrent = wanted !== 0 && latest?.number === revision.number && isSameTemplate(deployment, value);
  return { number: revision.number, value, isCurrent };
}

const isSameTemplate = (deployment: Deployment, template: PodTemplateSpec): boolean =>
  stableText(deployment.spec.template) === stableText(template);

const stableText = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

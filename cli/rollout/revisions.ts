import type { ControllerRevision, Deployment, PodTemplateSpec, ReplicaSet } from '../../shared/api/generated/types.js';
import { formatLabelSelector } from '../../shared/api/selector.js';
import {
  ANNOTATION_CHANGE_CAUSE,
  ANNOTATION_DEPLOYMENT_REVISION,
  LABEL_POD_TEMPLATE_HASH,
} from '../../shared/api/well-known.js';
import { Failure } from '../cluster/failure.js';
import type { CommandContext } from '../context.js';
import { listObjects, type FoundObject } from '../found-objects.js';
import { groupKind } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';

/** One state that a workload's pods once had. */
export interface Revision {
  readonly number: number;
  readonly changeCause: string | undefined;
  /** Pods as they were then, as `history --revision` shows them. */
  readonly template: PodTemplateSpec | undefined;
  /** What `history -o` prints: the ReplicaSet, or the workload as it was then. */
  readonly object: AnyObject;
}

/** Kinds that kubectl knows of, but whose history it cannot show. */
const withoutHistory = new Set(['Pod', 'Job', 'CronJob', 'ReplicaSet', 'ReplicationController']);

/** @throws Failure when `target` is of a kind that has no revisions. */
export function assertHasRevisions({ type }: FoundObject, visitor: 'history viewer' | 'rollbacker'): void {
  if (['Deployment', 'DaemonSet', 'StatefulSet'].includes(type.kind)) return;
  if (withoutHistory.has(type.kind)) {
    throw new Failure(`no ${visitor} has been implemented for ${JSON.stringify(groupKind(type))}`);
  }
  const what = visitor === 'history viewer' ? 'history' : visitor;
  throw new Failure(
    `error retrieving ${what} for ${JSON.stringify(groupKind(type))}, no visitor method exists for {${type.group} ${type.kind}}`,
  );
}

/** Revisions of a workload, the oldest first: a Deployment's are its ReplicaSets, the others have ControllerRevisions. */
export async function revisionsOf(context: CommandContext, target: FoundObject): Promise<Revision[]> {
  const isDeployment = target.type.kind === 'Deployment';
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const type = mapper.resolve(isDeployment ? 'replicasets.apps' : 'controllerrevisions.apps');
  const workload = target.object as unknown as Deployment;
  const labelSelector = formatLabelSelector(workload.spec.selector);
  const found = await listObjects(api, type, { namespace: target.namespace, labelSelector });
  const { uid } = workload.metadata;
  return found
    .map(({ object }) => object)
    .filter(({ metadata }) => {
      const owners = metadata['ownerReferences'] as ReplicaSet['metadata']['ownerReferences'];
      return owners?.some((owner) => owner.controller === true && owner.uid === uid) === true;
    })
    .map((object) => (isDeployment ? ofReplicaSet(object) : ofControllerRevision(object, target.object)))
    .filter(({ number }) => number > 0)
    .sort((a, b) => a.number - b.number);
}

function ofReplicaSet(object: AnyObject): Revision {
  const { metadata, spec } = object as unknown as ReplicaSet;
  const changeCause = metadata.annotations?.[ANNOTATION_CHANGE_CAUSE];
  const number = Number(metadata.annotations?.[ANNOTATION_DEPLOYMENT_REVISION] ?? 0);
  return { number, changeCause, template: spec?.template, object };
}

/** The data of a ControllerRevision is a patch of its workload that replaces the pods' template. */
function ofControllerRevision(revision: AnyObject, workload: AnyObject): Revision {
  const { metadata, revision: number, data } = revision as unknown as ControllerRevision;
  const recorded = (data as RevisionData | undefined)?.spec?.template;
  const spec = workload['spec'] as { template?: PodTemplateSpec };
  const template = recorded ? withoutDirective(recorded) : spec.template;
  return {
    number,
    changeCause: metadata.annotations?.[ANNOTATION_CHANGE_CAUSE],
    template,
    object: { ...workload, spec: { ...spec, template } },
  };
}

function withoutDirective(recorded: RecordedTemplate): PodTemplateSpec {
  const { $patch: _, ...template } = recorded;
  return template;
}

type RecordedTemplate = PodTemplateSpec & { readonly $patch?: string };

interface RevisionData {
  readonly spec?: { readonly template?: RecordedTemplate };
}

/** The wanted revision, 0 being the one before the newest. @throws Failure when there is none. */
export function revisionToRestore<Each extends Pick<Revision, 'number'>>(
  { type, name }: { readonly type: { readonly kind: string }; readonly name: string },
  revisions: readonly Each[],
  wanted: number,
): Each {
  const revision = wanted === 0 ? revisions.at(-2) : revisions.find(({ number }) => number === wanted);
  if (revision) return revision;
  if (wanted !== 0) throw new Failure(`unable to find specified revision ${wanted} in history`);
  throw new Failure(
    type.kind === 'Deployment'
      ? `no rollout history found for deployment "${name}"`
      : 'no last revision to roll back to',
  );
}

/** A ReplicaSet's template as its Deployment had it: without the hash that tells ReplicaSets apart. */
export function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec {
  const { [LABEL_POD_TEMPLATE_HASH]: _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels } } as PodTemplateSpec;
}

/** Whether two templates say the same; a time of creation, which templates never have, is nothing. */
export const isSameTemplate = (one: PodTemplateSpec | undefined, other: PodTemplateSpec): boolean =>
  stableText(one) === stableText(other);

const stableText = (value: unknown): string =>
  JSON.stringify(value, (key, inner: unknown) => {
    if (key === 'creationTimestamp' && inner === null) return undefined;
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });

import { isDeepStrictEqual } from 'node:util';
import type { PolicyRule, RbacV1Subject } from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import { dryRunOf, dryRunSuffix, type FileFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { placedObjects, type PlacedObject } from '../manifest-objects.js';
import { objectWriter, type PrintFlags } from '../print-flags.js';
import { objectName } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';

export interface ReconcileFlags extends FileFlags, PrintFlags {
  removeExtraPermissions: boolean;
  removeExtraSubjects: boolean;
  dryRun: string;
}

const rbac = 'rbac.authorization.k8s.io';

export async function runReconcile(context: CommandContext, flags: ReconcileFlags): Promise<void> {
  if (!flags.filename) throw new Failure('must specify one of -f and -k');
  const { objects, errors } = await placedObjects(context, { files: flags.filename, isRecursive: flags.recursive });
  for (const placed of objects) {
    try {
      if (placed.type.group !== rbac) {
        context.tell(`skipping ${objectName(placed.type, placed.object.metadata.name ?? '')}`);
        continue;
      }
      await reconcileOne(context, flags, placed);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

async function reconcileOne(
  context: CommandContext,
  flags: ReconcileFlags,
  { type, object, namespace }: PlacedObject,
): Promise<void> {
  const api = await context.api();
  const dryRun = dryRunOf(flags.dryRun);
  const name = object.metadata.name ?? '';
  const path = resourcePath(type, namespace, name);
  const current = await api.json({ path }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  const query = { dryRun: dryRun === 'server' ? 'All' : undefined };
  const isRecreated = current !== undefined && hasOtherRole(current, object);
  const desired = current && !isRecreated ? reconciled(current, object, flags) : object;
  const operation = isRecreated
    ? 'recreate'
    : !current
      ? 'create'
      : isDeepStrictEqual(desired, current)
        ? undefined
        : 'update';
  let result = desired;
  if (dryRun !== 'client') {
    const collection = resourcePath(type, namespace);
    // The role of a binding can never change.
    if (isRecreated) await api.json({ method: 'DELETE', path, query });
    if (operation === 'update') result = await api.json({ method: 'PUT', path, query, body: desired });
    else if (operation) result = await api.json({ method: 'POST', path: collection, query, body: object });
  }
  await objectWriter(context, flags)(result, `${objectName(type, name)} reconciled${dryRunSuffix(dryRun)}`);
  if (operation) context.tell(`\treconciliation required ${operation}`);
  if (operation && !isRecreated) tellChanges(context, { before: current, after: desired, flags });
}

const hasOtherRole = (current: AnyObject, wanted: AnyObject): boolean =>
  wanted['roleRef'] !== undefined && !isDeepStrictEqual(wanted['roleRef'], current['roleRef']);

interface Change {
  readonly before: AnyObject | undefined;
  readonly after: AnyObject;
  readonly flags: ReconcileFlags;
}

/** Which rules and subjects came and went, in the form of Go's `%+v`. */
function tellChanges(context: CommandContext, { before, after, flags }: Change): void {
  const section = (title: string, lines: readonly string[]): void => {
    if (lines.length > 0) context.tell([`\t${title}:`, ...lines.map((line) => `\t\t${line}`)].join('\n'));
  };
  const without = (some: unknown[], others: unknown[]): unknown[] =>
    some.filter((each) => !others.some((other) => isDeepStrictEqual(each, other)));
  for (const [field, shown, isExact] of [
    ['rules', ruleText, flags.removeExtraPermissions],
    ['subjects', subjectText, flags.removeExtraSubjects],
  ] as const) {
    const [was, is] = [list(before?.[field]), list(after[field])];
    section(`missing ${field} added`, without(is, was).map(shown));
    if (isExact) section(`extra ${field} removed`, without(was, is).map(shown));
  }
}

function ruleText(value: unknown): string {
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = value as PolicyRule;
  const texts = (items: readonly string[] = []): string => `[${items.join(' ')}]`;
  return `{Verbs:${texts(verbs)} APIGroups:${texts(apiGroups)} Resources:${texts(resources)} ResourceNames:${texts(resourceNames)} NonResourceURLs:${texts(nonResourceURLs)}}`;
}

function subjectText(value: unknown): string {
  const { kind, apiGroup = '', name, namespace = '' } = value as RbacV1Subject;
  return `{Kind:${kind} APIGroup:${apiGroup} Name:${name} Namespace:${namespace}}`;
}

/** The stored role or binding with what the manifest wants: its labels and annotations win, rules and subjects are joined. @throws Failure for another roleRef. */
export function reconciled(
  current: AnyObject,
  wanted: AnyObject,
  {
    removeExtraPermissions,
    removeExtraSubjects,
  }: Pick<ReconcileFlags, 'removeExtraPermissions' | 'removeExtraSubjects'>,
): AnyObject {
  if (wanted['roleRef'] !== undefined && !isDeepStrictEqual(wanted['roleRef'], current['roleRef']))
    throw new Failure(`cannot change the roleRef of ${current.kind} "${current.metadata.name ?? ''}": delete it first`);
  const joined = (field: string, isExact: boolean): object => {
    const [before, after] = [list(current[field]), list(wanted[field])];
    if (before.length === 0 && after.length === 0) return {};
    const extra = isExact ? [] : before.filter((each) => !after.some((other) => isDeepStrictEqual(each, other)));
    const kept = before.filter((each) => after.some((other) => isDeepStrictEqual(each, other)));
    const added = after.filter((each) => !before.some((other) => isDeepStrictEqual(each, other)));
    return {
      [field]: isExact
        ? [...kept, ...added]
        : extra.length + kept.length === before.length
          ? [...before, ...added]
          : after,
    };
  };
  const { labels, annotations } = current.metadata;
  return {
    ...current,
    metadata: {
      ...current.metadata,
      ...(labels || wanted.metadata.labels ? { labels: { ...labels, ...wanted.metadata.labels } } : {}),
      ...(annotations || wanted.metadata.annotations
        ? { annotations: { ...annotations, ...wanted.metadata.annotations } }
        : {}),
    },
    ...(wanted['aggregationRule'] === undefined
      ? joined('rules', removeExtraPermissions)
      : { aggregationRule: wanted['aggregationRule'] }),
    ...joined('subjects', removeExtraSubjects),
  };
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

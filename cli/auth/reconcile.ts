import { isDeepStrictEqual } from 'node:util';
import { resourcePath } from '../../shared/api/resource.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import { dryRunOf, dryRunSuffix, type FileFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { placedObjects, type PlacedObject } from '../manifest-objects.js';
import { objectName } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';

export interface ReconcileFlags extends FileFlags {
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
  const desired = current ? reconciled(current, object, flags) : object;
  if (dryRun !== 'client') {
    if (!current) await api.json({ method: 'POST', path: resourcePath(type, namespace), query, body: object });
    else if (!isDeepStrictEqual(desired, current)) await api.json({ method: 'PUT', path, query, body: desired });
  }
  context.print(`${objectName(type, name)} reconciled${dryRunSuffix(dryRun)}`);
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

import { ANNOTATION_LAST_APPLIED } from '../../shared/api/well-known.js';
import { resourcePath } from '../../shared/api/resource.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import { dryRunSuffix } from '../command-flags.js';
import { listObjects } from '../found-objects.js';
import { objectName, type ResourceMapper, type ResourceType } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';
import type { Applying } from './applying.js';

/** Types that kubectl prunes where none are named. */
const usual = [
  'core/v1/ConfigMap',
  'core/v1/Endpoints',
  'core/v1/Namespace',
  'core/v1/PersistentVolumeClaim',
  'core/v1/PersistentVolume',
  'core/v1/Pod',
  'core/v1/ReplicationController',
  'core/v1/Secret',
  'core/v1/Service',
  'batch/v1/Job',
  'batch/v1/CronJob',
  'networking.k8s.io/v1/Ingress',
  'apps/v1/DaemonSet',
  'apps/v1/Deployment',
  'apps/v1/ReplicaSet',
  'apps/v1/StatefulSet',
];

/** Reads `core/v1/ConfigMap` and `apps/v1/Deployment`. @throws Failure */
function pruneTypes(texts: readonly string[] | undefined, mapper: ResourceMapper): ResourceType[] {
  return (texts ?? usual).flatMap((text) => {
    const [group = '', version = '', kind = '', ...more] = text.split('/');
    if (kind === '' || more.length > 0)
      throw new Failure(`invalid GroupVersionKind format: ${text}, please follow <group/version/kind>`);
    const type = mapper.forKind(group === 'core' ? version : `${group}/${version}`, kind);
    if (!type && texts) throw new Failure(`no matches for kind "${kind}" in version "${group}/${version}"`);
    return type ? [type] : [];
  });
}

/** What an earlier apply made and this one did not name. */
export function leftovers(found: readonly AnyObject[], applied: ReadonlySet<string>): AnyObject[] {
  return found.filter(
    ({ metadata }) =>
      metadata.annotations?.[ANNOTATION_LAST_APPLIED] !== undefined &&
      metadata.deletionTimestamp === undefined &&
      !applied.has(metadata.uid ?? ''),
  );
}

/** Deletes the leftovers, in the namespaces that the manifests use. */
export async function prune(applying: Applying, applied: readonly AnyObject[]): Promise<void> {
  const { api, context, flags, mapper, dryRun } = applying;
  const uids = new Set(applied.flatMap(({ metadata }) => metadata.uid ?? []));
  const namespaces = [...new Set(applied.flatMap(({ metadata }) => metadata.namespace ?? []))];
  for (const type of pruneTypes(flags.pruneAllowlist, mapper)) {
    for (const namespace of type.namespaced ? namespaces : [undefined]) {
      const found = await listObjects(api, type, { namespace, labelSelector: flags.selector });
      for (const { metadata } of leftovers(
        found.map(({ object }) => object),
        uids,
      )) {
        const name = metadata.name ?? '';
        if (dryRun !== 'client') await remove(applying, type, namespace, name);
        context.print(`${objectName(type, name)} pruned${dryRunSuffix(dryRun)}`);
      }
    }
  }
}

async function remove(
  { api, dryRun }: Applying,
  type: ResourceType,
  namespace: string | undefined,
  name: string,
): Promise<void> {
  const options = { propagationPolicy: 'Background', ...(dryRun === 'server' ? { dryRun: ['All'] } : {}) };
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...options };
  try {
    await api.json({ method: 'DELETE', path: resourcePath(type, namespace, name), body });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

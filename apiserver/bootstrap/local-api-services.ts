import { apiservices } from '../../shared/api/generated/resources.js';
import type { APIService } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { isAlreadyExists, isNotFound } from '../../shared/errors/status-error.js';
import { priorityOf, REGISTRATION_GROUP } from '../discovery/priorities.js';
import type { ResourceRegistry, ServedResource } from '../registry/resource-registry.js';
import { systemWrite } from './system-objects.js';

/** Marks what is made here. `onstart`: built into the server; `true`: follows the custom resources. */
export const LABEL_AUTO_MANAGED = 'kube-aggregator.kubernetes.io/automanaged';
export type AutoManaged = 'onstart' | 'true';

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/**
 * One APIService for each group and version that this server answers itself, so that clients see one list of all that
 * is served, wherever it comes from.
 *
 *     sync('onstart', groups built in)     at the start
 *     sync('true', groups of custom resources)     whenever these change
 */
export class LocalApiServices {
  readonly #served: ServedResource | undefined;

  constructor(registry: ResourceRegistry) {
    this.#served = registry.find(apiservices.group, apiservices.version, apiservices.resource);
  }

  /** Makes what is missing, and deletes what carries the same mark and is served no more. What others made is left alone. */
  async sync(mark: AutoManaged, groupVersions: Iterable<GroupVersion>): Promise<void> {
    const served = this.#served;
    if (!served) return;
    const names = new Map<string, GroupVersion>();
    for (const { group, version } of groupVersions)
      if (group !== REGISTRATION_GROUP) names.set(`${version}.${group}`, { group, version });
    const obsolete = served.store.cache
      .snapshot()
      .map(({ object }) => object)
      .filter(({ metadata }) => metadata.labels?.[LABEL_AUTO_MANAGED] === mark && !names.has(metadata.name));
    await Promise.all([
      ...[...names].map(([name, groupVersion]) => create(served, name, groupVersion, mark)),
      ...obsolete.map(({ metadata }) => remove(served, metadata.name)),
    ]);
  }
}

async function create(
  served: ServedResource,
  name: string,
  groupVersion: GroupVersion,
  mark: AutoManaged,
): Promise<void> {
  if (served.store.find(undefined, name)) return;
  const { group, version } = groupVersion;
  const priority = priorityOf(group, version);
  const spec = { group, version, groupPriorityMinimum: priority.group, versionPriority: priority.version };
  const metadata = { name, labels: { [LABEL_AUTO_MANAGED]: mark } };
  const { apiVersion, kind } = apiservices;
  try {
    const object: Omit<APIService, 'metadata'> & { metadata: object } = { apiVersion, kind, metadata, spec };
    await served.store.create(undefined, object as KubernetesObject, systemWrite);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

async function remove(served: ServedResource, name: string): Promise<void> {
  try {
    await served.deleter.delete(undefined, name, {}, systemWrite);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

import { namespaces, priorityclasses } from '../../shared/api/generated/resources.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { isAlreadyExists } from '../../shared/errors/status-error.js';
import { apiserverUser } from '../authentication/user.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import type { WriteOptions } from '../registry/write-options.js';

/** The server writes under its own name, past the request pipeline but through every other rule. */
export const systemWrite: WriteOptions = Object.freeze({
  user: apiserverUser,
  isDryRun: false,
  fieldManager: 'kube-apiserver',
  force: false,
  fieldValidation: 'Ignore' as const,
  warn: () => {},
});

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

const priorityClassObjects = [
  {
    metadata: { name: 'system-cluster-critical' },
    value: 2_000_000_000,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
  {
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
];

/** Creates what every cluster has from its first moment. What exists is left as it is. */
export async function ensureSystemObjects(registry: ResourceRegistry): Promise<void> {
  await Promise.all([
    ...systemNamespaces.map((name) => ensure(registry, namespaces, { metadata: { name }, spec: {} })),
    ...priorityClassObjects.map((object) => ensure(registry, priorityclasses, object)),
  ]);
}

async function ensure(
  registry: ResourceRegistry,
  resource: typeof namespaces | typeof priorityclasses,
  given: { metadata: { name: string }; spec?: object },
): Promise<void> {
  const served = registry.find(resource.group, resource.version, resource.resource);
  if (!served || served.store.find(undefined, given.metadata.name)) return;
  const { apiVersion, kind } = resource;
  const object = { apiVersion, kind, ...structuredClone(given) } as KubernetesObject;
  served.definition.strategy.defaults?.(object);
  try {
    await served.store.create(undefined, object, systemWrite);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

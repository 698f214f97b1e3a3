import { clusterrolebindings, clusterroles, rolebindings, roles } from '../../shared/api/generated/resources.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import { isAlreadyExists, isNotFound } from '../../shared/errors/status-error.js';
import type { ResourceRegistry, ServedResource } from '../registry/resource-registry.js';
import { defaultBindings, defaultRoles } from './policy/default-policy.js';
import { reconcileBinding, reconcileRole, type Reconciliation } from './policy/reconciliation.js';
import { systemWrite } from './system-objects.js';

interface Named {
  readonly name: string;
  readonly namespace?: string;
}

/** Makes the roles and bindings that every cluster has, and gives back to them what was taken away, at every start. */
export async function ensureDefaultRoles(registry: ResourceRegistry): Promise<void> {
  await ensureAll(registry, defaultRoles, [clusterroles, roles], reconcileRole);
  await ensureAll(registry, defaultBindings, [clusterrolebindings, rolebindings], reconcileBinding);
}

async function ensureAll<E extends Named, T>(
  registry: ResourceRegistry,
  expected: readonly E[],
  [clusterWide, namespaced]: readonly [Resource, Resource],
  reconcile: (expected: E, existing: (T & KubernetesObject) | undefined) => Reconciliation<T & KubernetesObject>,
): Promise<void> {
  await Promise.all(
    expected.map(async (one) => {
      const resource = one.namespace === undefined ? clusterWide : namespaced;
      const served = registry.find(resource.group, resource.version, resource.resource);
      if (!served) return;
      const existing = served.store.find(one.namespace, one.name)?.object as (T & KubernetesObject) | undefined;
      await carryOut(served, one, reconcile(one, existing));
    }),
  );
}

async function carryOut(
  served: ServedResource,
  { name, namespace }: Named,
  plan: Reconciliation<KubernetesObject>,
): Promise<void> {
  const { store, deleter } = served;
  if (plan.type === 'keep') return;
  try {
    if (plan.type === 'update') await store.update(namespace, name, plan.object, systemWrite);
    if (plan.type === 'recreate') await deleter.delete(namespace, name, {}, systemWrite);
    if (plan.type === 'create' || plan.type === 'recreate') await store.create(namespace, plan.object, systemWrite);
  } catch (error) {
    // Another server on the same store was quicker; a namespace that is being emptied gets its roles at the next start.
    if (!isAlreadyExists(error) && !isNotFound(error)) throw error;
  }
}

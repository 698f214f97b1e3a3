import { controllerOf } from '../shared/api/owner.js';
import type { KubernetesObject } from '../shared/api/object.js';
import type { Lister } from '../shared/cache/informer.js';

/** Children by the uid of their controller, and orphans by their namespace: no pass has to look at all of a namespace. */
export const ownerIndexes = {
  controller: (object: KubernetesObject): string[] => {
    const owner = controllerOf(object);
    return owner ? [owner.uid] : [];
  },
  orphan: (object: KubernetesObject): string[] => (controllerOf(object) ? [] : [object.metadata.namespace ?? '']),
};

/** What an owner may claim: its children and the orphans of its namespace. */
export function candidatesOf<T extends KubernetesObject>(lister: Lister<T>, owner: KubernetesObject): T[] {
  const { uid, namespace } = owner.metadata;
  return [...lister.byIndex('controller', uid), ...lister.byIndex('orphan', namespace ?? '')];
}

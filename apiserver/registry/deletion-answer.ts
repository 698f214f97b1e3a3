import type { Resource } from '../../shared/api/resource.js';

const coreResources = new Set([
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'podtemplates',
  'resourcequotas',
  'serviceaccounts',
  'services',
]);

/** Whether a delete answers the object as it last was; for the others it answers a Status. As in the original, kind by kind. */
export function deletionAnswersObject({ group, resource }: Pick<Resource, 'group' | 'resource'>): boolean {
  if (group === '') return coreResources.has(resource);
  return ['resource.k8s.io', 'storage.k8s.io'].includes(group) && resource !== 'csistoragecapacities';
}

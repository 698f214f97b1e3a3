import type { Resource } from '../../shared/api/resource.js';

/** The prefix under which the objects of all kinds lie. */
export const registryPrefix = '/registry/';

/** `/registry/apps/deployments/`: the prefix of a collection, over all namespaces. */
export function collectionPrefix(resource: Pick<Resource, 'group' | 'resource'>): string {
  return `${registryPrefix}${resource.group || 'core'}/${resource.resource}/`;
}

/** The key of one object. Names and namespaces never contain a slash: the request parser refuses them. */
export function storageKey(resource: Resource, namespace: string | undefined, name: string): string {
  const scope = resource.namespaced ? `${namespace ?? ''}/` : '';
  return `${collectionPrefix(resource)}${scope}${name}`;
}

/** Which collection a key belongs to. */
export function prefixOfKey(key: string): string {
  const group = key.indexOf('/', registryPrefix.length);
  return key.slice(0, key.indexOf('/', group + 1) + 1);
}

/** Whose key it is, in its collection. */
export function namesOfKey(key: string): { readonly namespace: string | undefined; readonly name: string } {
  const start = prefixOfKey(key).length;
  const end = key.indexOf('/', start);
  return { namespace: end < 0 ? undefined : key.slice(start, end), name: key.slice(Math.max(start, end + 1)) };
}

/** Whose prefix it is. */
export function collectionOf(prefix: string): { readonly group: string; readonly resource: string } {
  const [group = '', resource = ''] = prefix.slice(registryPrefix.length).split('/');
  return { group: group === 'core' ? '' : group, resource };
}

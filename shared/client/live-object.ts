import type { KubernetesObject } from '../api/object.js';
import type { Resource } from '../api/resource.js';
import { isNotFound } from '../errors/status-error.js';
import type { Client } from './client.js';

/**
 * What the server has by that name, past every cache; undefined when it has nothing. Caches of two kinds lag behind each
 * other: what cannot be undone is decided on this.
 */
export async function liveObject<T extends KubernetesObject>(
  client: Pick<Client, 'get'>,
  resource: Resource<T>,
  name: string,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await client.get(resource, name, namespace, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

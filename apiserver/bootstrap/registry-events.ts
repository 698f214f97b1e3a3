import { events } from '../../shared/api/generated/resources.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import type { Client } from '../../shared/client/client.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { systemWrite } from './system-objects.js';

/** Writes the server's own events, for a recorder: around no rule of the registry, and over no connection. */
export function registryEvents(registry: ResourceRegistry): Pick<Client, 'create' | 'patch'> {
  const { apiVersion, kind } = events;
  return {
    create: async <T>(_: Resource<T>, given: object): Promise<T> => {
      const object = { apiVersion, kind, ...given } as unknown as KubernetesObject;
      return (await registry.of(events).store.create(object.metadata.namespace, object, systemWrite)) as T;
    },
    patch: async <T>(
      _: Resource<T>,
      name: string,
      namespace: string | undefined,
      __: string,
      change: unknown,
    ): Promise<T> => {
      const { store } = registry.of(events);
      const merge = (current: KubernetesObject): KubernetesObject => ({ ...current, ...(change as object) });
      return (await store.modify(namespace, name, systemWrite, { subresource: '' }, merge)) as T;
    },
  };
}

import type { Resource } from '../../shared/api/resource.js';
import type { ResourceDefinition } from './definition.js';
import { ObjectDeleter } from './object-deleter.js';
import { ResourceStore, type StoreDependencies } from './resource-store.js';

export interface ServedResource {
  readonly definition: ResourceDefinition;
  readonly store: ResourceStore;
  readonly deleter: ObjectDeleter;
}

/** All resources that the server stores, by group, version and plural name. */
export class ResourceRegistry {
  readonly #served = new Map<string, ServedResource>();
  readonly definitions: readonly ResourceDefinition[];

  constructor(definitions: readonly ResourceDefinition[], dependencies: StoreDependencies) {
    this.definitions = definitions;
    for (const definition of definitions) {
      const store = new ResourceStore(definition, dependencies);
      const { group, version, resource } = definition.resource;
      this.#served.set(`${group}/${version}/${resource}`, { definition, store, deleter: new ObjectDeleter(store) });
    }
  }

  find(group: string, version: string, resource: string): ServedResource | undefined {
    return this.#served.get(`${group}/${version}/${resource}`);
  }

  /** For resources that are known to be served. */
  of(resource: Pick<Resource, 'group' | 'version' | 'resource'>): ServedResource {
    const found = this.find(resource.group, resource.version, resource.resource);
    if (!found) throw new Error(`${resource.group}/${resource.version} ${resource.resource} is not served`);
    return found;
  }

  hasVersion(group: string, version: string): boolean {
    return this.definitions.some(({ resource }) => resource.group === group && resource.version === version);
  }
}

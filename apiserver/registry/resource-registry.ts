import type { Resource } from '../../shared/api/resource.js';
import type { ResourceDefinition } from './definition.js';
import { ObjectDeleter } from './object-deleter.js';
import { ResourceStore, type StoreDependencies } from './resource-store.js';

export interface ServedResource {
  readonly definition: ResourceDefinition;
  readonly store: ResourceStore;
  readonly deleter: ObjectDeleter;
}

/** All resources that the server stores, by group, version and plural name. Custom resources come and go. */
export class ResourceRegistry {
  readonly #served = new Map<string, ServedResource>();
  readonly #dependencies: StoreDependencies;
  #definitions: readonly ResourceDefinition[] = [];

  constructor(definitions: readonly ResourceDefinition[], dependencies: StoreDependencies) {
    this.#dependencies = dependencies;
    for (const definition of definitions) this.add(definition);
  }

  /** What is served at the moment; another array after each change. */
  get definitions(): readonly ResourceDefinition[] {
    return this.#definitions;
  }

  /** Serves a resource from now on, in place of the one of the same name. Its cache exists already. */
  add(definition: ResourceDefinition): void {
    this.remove(definition);
    const store = new ResourceStore(definition, this.#dependencies);
    this.#served.set(pathOf(definition), { definition, store, deleter: new ObjectDeleter(store) });
    this.#definitions = [...this.#definitions, definition];
  }

  remove(definition: Pick<ResourceDefinition, 'resource'>): void {
    const path = pathOf(definition);
    this.#served.get(path)?.store.close();
    if (!this.#served.delete(path)) return;
    this.#definitions = this.#definitions.filter((known) => pathOf(known) !== path);
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
}

const pathOf = ({ resource }: Pick<ResourceDefinition, 'resource'>): string =>
  `${resource.group}/${resource.version}/${resource.resource}`;

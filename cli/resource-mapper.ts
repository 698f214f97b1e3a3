import type { Resource } from '../shared/api/resource.js';
import {
  discoveryAccept,
  discoveryPaths,
  parseDiscovery,
  type GroupDiscoveryList,
} from '../shared/client/discovery.js';
import { Failure } from './cluster/failure.js';
import type { ServerApi } from './server-api.js';

/** A resource type as the server's discovery tells it. */
export interface ResourceType extends Resource {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

/** Resolves what people write for a type (`po`, `deploy`, `deployments.apps`, `pods.v1.`, `Deployment`), and kinds of manifests. */
export class ResourceMapper {
  /** In the server's order: the core group first, and a group's preferred version before its others. */
  readonly types: readonly ResourceType[];

  constructor(types: readonly ResourceType[]) {
    this.types = types;
  }

  static async discover(api: ServerApi): Promise<ResourceMapper> {
    const lists = await Promise.all(
      discoveryPaths.map((path) => api.json<GroupDiscoveryList>({ path, accept: discoveryAccept })),
    );
    const { resources } = parseDiscovery(lists);
    return new ResourceMapper(resources.map(({ resource, ...names }) => ({ ...resource, ...names })));
  }

  /** @throws Failure when the server has no such type. */
  resolve(text: string): ResourceType {
    const found = this.find(text);
    if (!found) throw new Failure(`the server doesn't have a resource type "${text}"`);
    return found;
  }

  find(text: string): ResourceType | undefined {
    const [name = '', ...rest] = text.toLowerCase().split('.');
    if (rest.length > 1 || text.endsWith('.')) {
      const [version, ...group] = rest;
      const exact = this.#named(name, (type) => type.version === version && type.group === group.join('.'));
      if (exact) return exact;
    }
    if (rest.length > 0) return this.#named(name, (type) => type.group === rest.join('.'));
    return this.#named(name, () => true);
  }

  /** Each type once, in the version that the server prefers. */
  preferred(): ResourceType[] {
    const seen = new Set<string>();
    return this.types.filter((type) => {
      const key = `${type.group}/${type.resource}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
  }

  /** Types of a category such as `all`. */
  category(name: string): ResourceType[] {
    return this.preferred().filter((type) => type.categories.includes(name));
  }

  /** The type of a manifest's kind. */
  forKind(apiVersion: string, kind: string): ResourceType | undefined {
    return this.types.find((type) => type.kind === kind && type.apiVersion === apiVersion);
  }

  /** The preferred type of a group's kind. */
  forGroupKind(group: string, kind: string): ResourceType | undefined {
    return this.types.find((type) => type.kind === kind && type.group === group);
  }

  #named(name: string, accepts: (type: ResourceType) => boolean): ResourceType | undefined {
    const candidates = this.types.filter(accepts);
    return (
      candidates.find((type) => type.resource === name || type.singular === name) ??
      candidates.find((type) => type.kind.toLowerCase() === name) ??
      candidates.find((type) => type.shortNames.includes(name))
    );
  }
}

/** `deployments.apps`, `pods`. */
export const groupResource = (type: Resource): string =>
  type.group === '' ? type.resource : `${type.resource}.${type.group}`;

/** `Deployment.apps`, `Pod`. */
export const groupKind = (type: Resource): string => (type.group === '' ? type.kind : `${type.kind}.${type.group}`);

/** `deployment.apps/web`, `pod/web`: as messages and `-o name` call an object. */
export const objectName = (type: Resource, name: string): string => `${kindName(type)}/${name}`;

/** `deployment.apps`, `pod`. */
export const kindName = (type: Resource): string =>
  type.group === '' ? type.kind.toLowerCase() : `${type.kind.toLowerCase()}.${type.group}`;

import type { KubernetesObject } from '../api/object.js';
import { defineResource, type Resource } from '../api/resource.js';
import { StatusError } from '../errors/status-error.js';
import type { Client } from './client.js';

/** A resource as the server tells of it. */
export interface DiscoveredResource {
  readonly resource: Resource<KubernetesObject>;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

/** All that is served, in the server's order: the core group first, and a group's preferred version before its others. */
export interface Discovery {
  readonly resources: readonly DiscoveredResource[];
  /** Group versions whose server does not answer, with the reason; their resources are unknown, not absent. */
  readonly failures: ReadonlyMap<string, string>;
}

/** APIGroupDiscoveryList, as far as it is read here. */
export interface GroupDiscoveryList {
  readonly items?: readonly GroupDiscovery[];
}
interface GroupDiscovery {
  readonly metadata?: { readonly name?: string };
  readonly versions?: readonly VersionDiscovery[];
}
interface VersionDiscovery {
  readonly version: string;
  readonly freshness?: string;
  readonly resources?: readonly ResourceDiscovery[];
}
interface ResourceDiscovery {
  readonly resource: string;
  readonly responseKind?: { readonly kind: string };
  readonly scope: string;
  readonly singularResource?: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly { readonly subresource: string }[];
}

/** What to ask for at each of {@link discoveryPaths}. */
export const discoveryAccept = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .join(',');
export const discoveryPaths = ['/api', '/apis'] as const;

export function parseDiscovery(lists: readonly GroupDiscoveryList[]): Discovery {
  const failures = new Map<string, string>();
  const resources: DiscoveredResource[] = [];
  for (const { metadata, versions = [] } of lists.flatMap(({ items = [] }) => items)) {
    const group = metadata?.name ?? '';
    for (const { version, freshness, resources: found = [] } of versions) {
      if (freshness === 'Stale')
        failures.set(group === '' ? version : `${group}/${version}`, 'stale GroupVersion discovery');
      else for (const one of found) resources.push(...discovered(group, version, one));
    }
  }
  return { resources, failures };
}

function discovered(group: string, version: string, found: ResourceDiscovery): DiscoveredResource[] {
  // Without a kind there are only subresources, of a resource that another version has.
  if (!found.responseKind?.kind) return [];
  const { kind } = found.responseKind;
  const { singularResource, shortNames = [], categories = [], verbs, subresources = [] } = found;
  const namespaced = found.scope === 'Namespaced';
  return [
    {
      resource: defineResource<KubernetesObject>({ group, version, kind, resource: found.resource, namespaced }),
      singular: singularResource || kind.toLowerCase(),
      shortNames,
      categories,
      verbs,
      subresources: subresources.map(({ subresource }) => subresource),
    },
  ];
}

/** One version of each resource: the first of its group, which is the preferred one that has it. */
export function preferredResources({ resources }: Discovery): DiscoveredResource[] {
  const found = new Map<string, DiscoveredResource>();
  for (const one of resources) {
    const key = `${one.resource.group}/${one.resource.resource}`;
    if (!found.has(key)) found.set(key, one);
  }
  return [...found.values()];
}

/** Asks the server again and again what it serves; what has not changed is not sent again. */
export class DiscoveryReader {
  readonly #client: Client;
  readonly #known = new Map<string, { etag: string; list: GroupDiscoveryList }>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** @throws StatusError when the server refuses. */
  async read(signal: AbortSignal): Promise<Discovery> {
    return parseDiscovery(await Promise.all(discoveryPaths.map((path) => this.#list(path, signal))));
  }

  async #list(path: string, signal: AbortSignal): Promise<GroupDiscoveryList> {
    const known = this.#known.get(path);
    const headers = { accept: discoveryAccept, ...(known ? { 'if-none-match': known.etag } : {}) };
    const answer = await this.#client.raw({ path, signal, headers });
    if (answer.status === 304 && known) return known.list;
    if (answer.status !== 200) {
      throw new StatusError(answer.status, 'ServiceUnavailable', `GET ${path} answered ${answer.status}`);
    }
    const list = JSON.parse(answer.body.toString('utf8')) as GroupDiscoveryList;
    const { etag } = answer.headers;
    if (typeof etag === 'string') this.#known.set(path, { etag, list });
    return list;
  }
}

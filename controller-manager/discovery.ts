import { defineResource, type Resource } from '../shared/api/resource.js';
import type { KubernetesObject } from '../shared/api/object.js';
import type { Client } from '../shared/client/client.js';
import { StatusError } from '../shared/errors/status-error.js';

/** A resource as the server tells of it. */
export interface DiscoveredResource {
  readonly resource: Resource<KubernetesObject>;
  readonly verbs: ReadonlySet<string>;
}

export interface Discovery {
  /** One version of each resource: the group's preferred one that has it. Subresources are left out. */
  readonly resources: readonly DiscoveredResource[];
  /** Group versions that did not answer, with the reason; their resources are unknown, not absent. */
  readonly failures: ReadonlyMap<string, string>;
}

interface ResourceList {
  resources?: { name: string; kind: string; namespaced: boolean; verbs: string[]; group?: string; version?: string }[];
}
interface GroupList {
  groups?: { name: string; versions: { version: string }[]; preferredVersion?: { version: string } }[];
}

/** Asks the server which resources there are. */
export async function discover(client: Client, signal: AbortSignal): Promise<Discovery> {
  const { groups = [] } = await getJson<GroupList>(client, '/apis', signal);
  const failures = new Map<string, string>();
  const found = new Map<string, DiscoveredResource>();
  const versions = [
    { group: '', version: 'v1' },
    ...groups.flatMap(({ name, versions: all, preferredVersion }) => {
      const names = all.map(({ version }) => version);
      const preferred = preferredVersion?.version;
      // The preferred version first: the first that has a resource is used for it.
      const ordered = preferred ? [preferred, ...names.filter((version) => version !== preferred)] : names;
      return ordered.map((version) => ({ group: name, version }));
    }),
  ];
  for (const { group, version } of versions) {
    const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    try {
      const list = await getJson<ResourceList>(client, path, signal);
      for (const given of list.resources ?? []) {
        const key = `${group}/${given.name}`;
        if (given.name.includes('/') || found.has(key)) continue;
        const { name: resource, kind, namespaced } = given;
        found.set(key, {
          resource: defineResource<KubernetesObject>({ group, version, kind, resource, namespaced }),
          verbs: new Set(given.verbs),
        });
      }
    } catch (error) {
      if (signal.aborted) throw error;
      failures.set(group === '' ? version : `${group}/${version}`, (error as Error).message);
    }
  }
  return { resources: [...found.values()], failures };
}

async function getJson<T>(client: Client, path: string, signal: AbortSignal): Promise<T> {
  const { status, body } = await client.raw({ path, signal, headers: { accept: 'application/json' } });
  if (status !== 200) throw new StatusError(status, 'ServiceUnavailable', `GET ${path} answered ${status}`);
  return JSON.parse(body.toString('utf8')) as T;
}

import type { DiscoverableResource, GroupVersionKind } from '../discovery/discoverable.js';
import { definitionOfKind } from './kind-names.js';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** Which kinds a definition is the schema of: kubectl finds the schema of a kind this way. */
export function kindsByDefinition(resources: readonly DiscoverableResource[]): Map<string, GroupVersionKind[]> {
  const kinds = new Map<string, GroupVersionKind[]>();
  const add = (definition: string | undefined, { group, version, kind }: GroupVersionKind): void => {
    if (definition !== undefined) kinds.set(definition, [{ group, kind, version }]);
  };
  for (const resource of resources) {
    const definition = definitionOfKind(resource);
    add(definition, resource);
    if (definition && resource.verbs.includes('list'))
      add(`${definition}List`, { ...resource, kind: `${resource.kind}List` });
    for (const { responseKind } of resource.subresources) add(definitionOfKind(responseKind), responseKind);
  }
  for (const kind of ['APIGroup', 'APIGroupList', 'APIResourceList', 'APIVersions', 'Status']) {
    add(`${meta}.${kind}`, { group: '', version: 'v1', kind });
  }
  // Every group has these two under its own versions.
  const versions = new Map(resources.map(({ group, version }) => [`${group}/${version}`, { group, version }]));
  const sorted = [...versions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, version]) => version);
  for (const kind of ['DeleteOptions', 'WatchEvent']) {
    kinds.set(
      `${meta}.${kind}`,
      sorted.map(({ group, version }) => ({ group, kind, version })),
    );
  }
  return kinds;
}

import { createHash } from 'node:crypto';
import type { CustomStructure, ResourceDefinition } from '../registry/definition.js';
import type { ResourceFacts } from '../schema/schemas.js';

/** A group, version and kind, as answers carry them. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Definition in OpenAPI where it does not follow from the rest (custom resources). */
  readonly definition?: string;
}

export interface DiscoverableSubresource {
  readonly name: string;
  /** Kind of the bodies and answers. */
  readonly responseKind: GroupVersionKind;
  readonly verbs: readonly string[];
}

/** What discovery tells about one resource. */
export interface DiscoverableResource extends GroupVersionKind {
  readonly resource: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly DiscoverableSubresource[];
  /** Tells clients when the stored form changes; absent where nothing is stored. */
  readonly storageVersionHash?: string;
  /** The published schema of a custom resource. */
  readonly openApi?: CustomStructure['openApi'];
}

type FactsByPath = Readonly<Record<string, ResourceFacts>>;

const storedVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
/** Subresources of resources that the facts do not know (custom resources). */
const generalSubresources: Readonly<Record<string, ResourceFacts>> = {
  status: { kind: '', namespaced: true, verbs: ['get', 'patch', 'update'] },
  scale: { kind: 'autoscaling/v1/Scale', namespaced: true, verbs: ['get', 'patch', 'update'] },
};

/** What discovery tells about the kinds that the server stores. */
export function discoverableResources(
  definitions: readonly ResourceDefinition[],
  facts: FactsByPath,
): DiscoverableResource[] {
  return definitions.map((definition) => {
    const { group, version, kind, resource, namespaced } = definition.resource;
    const path = `${group}/${version}/${resource}`;
    // A few kinds leave out a verb (namespaces: deletecollection).
    const known = facts[path]?.verbs;
    const { custom } = definition;
    const own = { group, version, kind, ...(custom ? { definition: custom.definitionName } : {}) };
    return {
      ...own,
      ...(custom ? { openApi: custom.openApi } : {}),
      resource,
      namespaced,
      singularName: definition.singularName,
      verbs: known ? storedVerbs.filter((verb) => verb === 'watch' || known.includes(verb)) : storedVerbs,
      shortNames: definition.shortNames,
      categories: definition.categories,
      subresources: definition.subresources
        .map((name) => subresourceOf(name, own, facts[`${path}/${name}`]))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      storageVersionHash: storageVersionHash({ group, version, kind }),
    };
  });
}

/**
 * What discovery tells about resources that are only created (reviews, bindings) or only read (component statuses):
 * paths as in the facts.
 */
export function unstoredResources(
  paths: readonly string[],
  facts: FactsByPath,
  shortNames: readonly string[] = [],
): DiscoverableResource[] {
  return paths.map((path) => {
    const [group = '', version = '', resource = ''] = path.split('/');
    // Versions that the original has dropped are like those that it has kept.
    const known = facts[path] ?? facts[`${group}/v1/${resource}`];
    if (!known) throw new Error(`nothing is known of the resource ${path}`);
    const { kind } = readKind(known.kind);
    return {
      group,
      version,
      kind,
      resource,
      namespaced: known.namespaced,
      singularName: kind.toLowerCase(),
      verbs: known.verbs,
      shortNames,
      categories: [],
      subresources: [],
    };
  });
}

function subresourceOf(
  name: string,
  parent: GroupVersionKind,
  known: ResourceFacts | undefined,
): DiscoverableSubresource {
  const { kind, verbs } = known ?? generalSubresources[name] ?? { kind: '', verbs: ['get'] };
  return {
    name,
    responseKind: kind === '' ? parent : readKind(kind),
    verbs: verbs.includes('connect') ? connectVerbs(name) : verbs,
  };
}

/** Connections are opened by GET or POST; a proxy passes on every method. */
const connectVerbs = (name: string): readonly string[] =>
  name === 'proxy' ? ['create', 'delete', 'get', 'patch', 'update'] : ['create', 'get'];

function readKind(text: string): GroupVersionKind {
  const parts = text.split('/');
  const [group, version = '', kind = ''] = parts.length === 2 ? ['', ...parts] : parts;
  return { group: group ?? '', version, kind };
}

/** The first bytes of a hash over the stored version, as the original computes it. */
function storageVersionHash({ group, version, kind }: GroupVersionKind): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');
}

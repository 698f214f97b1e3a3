import type { DiscoverableResource, DiscoverableSubresource, GroupVersionKind } from './discoverable.js';
import { builtInOrder, compareGroups, type GroupOrder } from './priorities.js';

const groupVersionOf = (group: string, version: string): string => (group === '' ? version : `${group}/${version}`);
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** One group and version that an extension server serves. */
export interface RemoteVersion {
  readonly group: string;
  readonly version: string;
  /** What was last heard of. */
  readonly resources: readonly DiscoverableResource[];
  /** Its server does not answer at the moment. */
  readonly isStale: boolean;
}

/** What is served by others, and the order of all groups. */
export interface Elsewhere {
  readonly versions: readonly RemoteVersion[];
  readonly order: GroupOrder;
}

const nothingElse: Elsewhere = { versions: [], order: builtInOrder };

function sortedGroups(resources: readonly DiscoverableResource[], { versions, order }: Elsewhere): string[] {
  const groups = new Set([...resources, ...versions].map(({ group }) => group));
  return [...groups].sort((a, b) => compareGroups(a, b, order));
}

/** Versions of a group, the preferred one first. */
function sortedVersions(resources: readonly DiscoverableResource[], group: string, elsewhere: Elsewhere): string[] {
  const inGroup = [...resources, ...elsewhere.versions].filter((one) => one.group === group);
  const rank = (version: string): number => elsewhere.order.versionPriority(group, version) ?? 0;
  const versions = new Set(inGroup.map(({ version }) => version));
  return [...versions].sort((a, b) => rank(b) - rank(a) || compareVersions(a, b));
}

/** v2, v1, v1beta2, v1beta1, v1alpha1; then what is no version, by name. */
export function compareVersions(a: string, b: string): number {
  const left = versionRank(a);
  const right = versionRank(b);
  if (!left || !right) return left ? -1 : right ? 1 : byText(a, b);
  return right[0] - left[0] || right[1] - left[1] || right[2] - left[2];
}

function versionRank(version: string): [stability: number, major: number, minor: number] | undefined {
  const match = /^v(\d{1,9})(?:(alpha|beta)(\d{1,9}))?$/.exec(version);
  if (!match) return undefined;
  const stability = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0;
  return [stability, Number(match[1]), Number(match[3] ?? 0)];
}

/** `/api`. */
export function apiVersions(serverAddress: string): object {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/** `/apis`. */
export function apiGroupList(resources: readonly DiscoverableResource[], elsewhere = nothingElse): object {
  const groups = sortedGroups(resources, elsewhere).filter((group) => group !== '');
  const described = groups.map((group) => describeGroup(resources, group, elsewhere));
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: described };
}

/** `/apis/GROUP`; undefined when nothing is of that group. */
export function apiGroup(
  resources: readonly DiscoverableResource[],
  group: string,
  elsewhere = nothingElse,
): object | undefined {
  const isServed = [...resources, ...elsewhere.versions].some((one) => one.group === group);
  if (group === '' || !isServed) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(resources, group, elsewhere) };
}

function describeGroup(resources: readonly DiscoverableResource[], name: string, elsewhere: Elsewhere): object {
  const versions = sortedVersions(resources, name, elsewhere).map((version) => ({
    groupVersion: groupVersionOf(name, version),
    version,
  }));
  return { name, versions, preferredVersion: versions[0] };
}

/** `/api/v1` and `/apis/GROUP/VERSION`; undefined when no resource is of that version. */
export function apiResourceList(
  resources: readonly DiscoverableResource[],
  group: string,
  version: string,
): object | undefined {
  const served = inVersion(resources, group, version);
  if (served.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: groupVersionOf(group, version),
    resources: served.flatMap((resource) => [
      describeResource(resource),
      ...resource.subresources.map((subresource) => describeSubresource(resource, subresource)),
    ]),
  };
}

const inVersion = (
  resources: readonly DiscoverableResource[],
  group: string,
  version: string,
): DiscoverableResource[] =>
  resources
    .filter((resource) => resource.group === group && resource.version === version)
    .sort((a, b) => byText(a.resource, b.resource));

const unlessEmpty = (name: string, list: readonly string[]): object => (list.length > 0 ? { [name]: list } : {});

function describeResource(resource: DiscoverableResource): object {
  const { storageVersionHash } = resource;
  return {
    name: resource.resource,
    singularName: resource.singularName,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: resource.verbs,
    ...unlessEmpty('shortNames', resource.shortNames),
    ...unlessEmpty('categories', resource.categories),
    ...(storageVersionHash === undefined ? {} : { storageVersionHash }),
  };
}

function describeSubresource(parent: DiscoverableResource, subresource: DiscoverableSubresource): object {
  const { group, version, kind } = subresource.responseKind;
  const isOwn = group === parent.group && version === parent.version;
  return {
    name: `${parent.resource}/${subresource.name}`,
    singularName: '',
    namespaced: parent.namespaced,
    ...(isOwn ? {} : { group, version }),
    kind,
    verbs: subresource.verbs,
  };
}

/** The aggregated form of `/api` (the core group) and `/apis` (all others), for apidiscovery.k8s.io v2 and v2beta1. */
export function aggregatedDiscovery(
  resources: readonly DiscoverableResource[],
  root: 'api' | 'apis',
  version: 'v2' | 'v2beta1',
  elsewhere = nothingElse,
): object {
  const groups = sortedGroups(resources, elsewhere).filter((group) => (group === '') === (root === 'api'));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: { name: group, creationTimestamp: null },
      versions: sortedVersions(resources, group, elsewhere).map((name) =>
        aggregateVersion(resources, group, name, elsewhere),
      ),
    })),
  };
}

function aggregateVersion(
  resources: readonly DiscoverableResource[],
  group: string,
  version: string,
  elsewhere: Elsewhere,
): object {
  const remote = elsewhere.versions.find((one) => one.group === group && one.version === version);
  const served = remote?.resources ?? inVersion(resources, group, version);
  return { version, resources: served.map(aggregateResource), freshness: remote?.isStale ? 'Stale' : 'Current' };
}

function aggregateResource(resource: DiscoverableResource): object {
  const { group, version, kind } = resource;
  return {
    resource: resource.resource,
    // Where only subresources are served the kind is empty, all of it: clients look for that.
    responseKind: kind === '' ? noKind : responseKind({ group, version, kind }),
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singularName,
    verbs: resource.verbs,
    ...unlessEmpty('shortNames', resource.shortNames),
    ...unlessEmpty('categories', resource.categories),
    ...(resource.subresources.length > 0
      ? {
          subresources: resource.subresources.map((subresource) => ({
            subresource: subresource.name,
            responseKind: responseKind(subresource.responseKind),
            verbs: subresource.verbs,
          })),
        }
      : {}),
  };
}

const noKind: GroupVersionKind = { group: '', version: '', kind: '' };
const responseKind = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => ({ group, version, kind });

/** Which aggregated form an Accept header asks for first, if it prefers one to the plain documents. */
export function wantsAggregated(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const clause of (accept ?? '').split(',', 32)) {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    const values = new Map(parameters.map((parameter) => parameter.split('=', 2) as [string, string]));
    if (type === 'application/vnd.kubernetes.protobuf' && !values.has('as')) return undefined;
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    if (values.get('as') === undefined) return undefined;
    const isAggregated = values.get('as') === 'APIGroupDiscoveryList' && values.get('g') === 'apidiscovery.k8s.io';
    const version = values.get('v');
    if (isAggregated && (version === 'v2' || version === 'v2beta1')) return version;
  }
  return undefined;
}

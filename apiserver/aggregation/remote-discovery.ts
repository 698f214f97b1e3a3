import type { DiscoverableResource, DiscoverableSubresource } from '../discovery/discoverable.js';

const maxResources = 1_000;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

/** Reads the APIResourceList of an extension server; throws when it is none. */
export function readResourceList(document: unknown, group: string, version: string): DiscoverableResource[] {
  const { kind, resources } = fieldsOf(document);
  if (kind !== 'APIResourceList' || !Array.isArray(resources)) throw new Error('the answer is no APIResourceList');
  const listed = resources.slice(0, maxResources).map(fieldsOf);
  const subresources = new Map<string, DiscoverableSubresource[]>();
  for (const one of listed) {
    const [parent = '', name] = textOf(one['name']).split('/', 2);
    if (name === undefined) continue;
    const known = subresources.get(parent) ?? [];
    known.push({ name, responseKind: kindOf(one, group, version), verbs: textsOf(one['verbs']) });
    subresources.set(parent, known);
  }
  const names = new Set(listed.map((one) => textOf(one['name'])));
  // Custom metrics are subresources of what others serve: the parent is named, without a kind.
  const absent = [...subresources].filter(([parent]) => !names.has(parent));
  return [
    ...listed
      .filter((one) => textOf(one['name']) !== '' && !textOf(one['name']).includes('/'))
      .map((one) => {
        const resource = textOf(one['name']);
        const hash = textOf(one['storageVersionHash']);
        return {
          group,
          version,
          kind: textOf(one['kind']),
          resource,
          singularName: textOf(one['singularName']),
          namespaced: one['namespaced'] === true,
          verbs: textsOf(one['verbs']),
          shortNames: textsOf(one['shortNames']),
          categories: textsOf(one['categories']),
          subresources: subresources.get(resource) ?? [],
          ...(hash === '' ? {} : { storageVersionHash: hash }),
        };
      }),
    ...absent.map(([parent, found]) => ({
      ...nothing,
      group,
      version,
      resource: parent,
      namespaced: listed.some((one) => textOf(one['name']).startsWith(`${parent}/`) && one['namespaced'] === true),
      subresources: found,
    })),
  ];
}

const nothing = { kind: '', singularName: '', verbs: [], shortNames: [], categories: [] } as const;

const kindOf = (one: Fields, group: string, version: string): DiscoverableSubresource['responseKind'] => ({
  group: textOf(one['group']) || group,
  version: textOf(one['version']) || version,
  kind: textOf(one['kind']),
});

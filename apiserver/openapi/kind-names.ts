import type { GroupVersionKind } from '../discovery/discoverable.js';

/** Groups whose Go package is not named after the first part of the group. */
const packages: Readonly<Record<string, string>> = {
  '': 'io.k8s.api.core',
  'apiextensions.k8s.io': 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
  'apiregistration.k8s.io': 'io.k8s.kube-aggregator.pkg.apis.apiregistration',
  'internal.apiserver.k8s.io': 'io.k8s.api.apiserverinternal',
};

/** Kinds of subresources whose options travel in the query: they have no definition. */
const withoutDefinition = /Options$/;

/** OpenAPI definition of a built-in kind, e.g. `io.k8s.api.apps.v1.Deployment`; undefined where a kind has none. */
export function definitionOfKind({ group, version, kind, definition }: GroupVersionKind): string | undefined {
  if (definition !== undefined) return definition;
  if (withoutDefinition.test(kind)) return undefined;
  const known = packages[group];
  return `${known ?? `io.k8s.api.${group.split('.')[0] ?? ''}`}.${version}.${kind}`;
}

import type { DiscoverableResource, GroupVersionKind } from '../discovery/discoverable.js';
import { conventions, type Dialect, type OpenApiObject } from './definitions.js';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** What the definitions of custom resources refer to. */
export const metadataDefinitions: readonly string[] = [`${meta}.ObjectMeta`, `${meta}.ListMeta`];

const apiVersion: OpenApiObject = {
  description: `APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: ${conventions}#resources`,
  type: 'string',
};
const kindProperty: OpenApiObject = {
  description: `Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: ${conventions}#types-kinds`,
  type: 'string',
};

/** The definitions of custom resources and of their lists. */
export function customDefinitions(
  resources: readonly DiscoverableResource[],
  dialect: Dialect,
  kinds: ReadonlyMap<string, readonly GroupVersionKind[]>,
): [name: string, definition: OpenApiObject][] {
  return resources.flatMap((resource) => {
    const { definition, openApi } = resource;
    if (definition === undefined || !openApi) return [];
    const schema = dialect.version === 2 ? openApi.v2 : openApi.v3;
    const list = `${definition}List`;
    const described: [string, OpenApiObject][] = [
      [definition, objectDefinition(schema, dialect, kinds.get(definition) ?? [])],
      [list, listDefinition(resource, dialect, kinds.get(list) ?? [])],
    ];
    return described;
  });
}

function reference(name: string, dialect: Dialect, description: string): OpenApiObject {
  const $ref = dialect.prefix + name;
  return dialect.version === 3 ? { allOf: [{ $ref }], description } : { $ref, description };
}

function objectDefinition(schema: OpenApiObject, dialect: Dialect, kinds: readonly GroupVersionKind[]): OpenApiObject {
  const metadata = reference(
    `${meta}.ObjectMeta`,
    dialect,
    `Standard object's metadata. More info: ${conventions}#metadata`,
  );
  const given = (schema['properties'] ?? {}) as OpenApiObject;
  return {
    ...schema,
    properties: { ...given, apiVersion, kind: kindProperty, metadata },
    'x-kubernetes-group-version-kind': kinds,
  };
}

function listDefinition(
  { definition = '', kind, resource }: DiscoverableResource,
  dialect: Dialect,
  kinds: readonly GroupVersionKind[],
): OpenApiObject {
  return {
    description: `${kind}List is a list of ${kind}`,
    properties: {
      apiVersion,
      items: {
        description: `List of ${resource}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md`,
        items: { $ref: dialect.prefix + definition },
        type: 'array',
      },
      kind: kindProperty,
      metadata: reference(`${meta}.ListMeta`, dialect, `Standard list metadata. More info: ${conventions}#types-kinds`),
    },
    required: ['items'],
    type: 'object',
    'x-kubernetes-group-version-kind': kinds,
  };
}

import type { GroupVersionKind } from '../discovery/discoverable.js';
import type { FieldFacts, JsonSchema, Schemas } from '../schema/schemas.js';

/** A piece of an OpenAPI document. */
export type OpenApiObject = Record<string, unknown>;

/** How the two versions of OpenAPI differ in definitions. */
export interface Dialect {
  readonly version: 2 | 3;
  /** Prefix of references. */
  readonly prefix: '#/definitions/' | '#/components/schemas/';
}
export const dialect2: Dialect = { version: 2, prefix: '#/definitions/' };
export const dialect3: Dialect = { version: 3, prefix: '#/components/schemas/' };

export const conventions = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';
/** What the model files leave undescribed: fields that refer to another type. */
const fieldDescriptions: Readonly<Record<string, string>> = {
  metadata: `Standard object's metadata. More info: ${conventions}#metadata`,
  spec: `Specification of the desired behavior. More info: ${conventions}#spec-and-status`,
  status: `Most recently observed status. More info: ${conventions}#spec-and-status`,
};

/** Fields of which one at most is set, and the field that tells which. */
const unions: Readonly<Record<string, object>> = {
  'io.k8s.api.core.v1.AppArmorProfile': {
    discriminator: 'type',
    'fields-to-discriminateBy': { localhostProfile: 'LocalhostProfile' },
  },
  'io.k8s.api.core.v1.PodSchedulingGroup': { 'fields-to-discriminateBy': { podGroupName: 'PodGroupName' } },
  'io.k8s.api.core.v1.SeccompProfile': {
    discriminator: 'type',
    'fields-to-discriminateBy': { localhostProfile: 'LocalhostProfile' },
  },
  'io.k8s.api.flowcontrol.v1.LimitResponse': {
    discriminator: 'type',
    'fields-to-discriminateBy': { queuing: 'Queuing' },
  },
  'io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec': {
    discriminator: 'type',
    'fields-to-discriminateBy': { exempt: 'Exempt', limited: 'Limited' },
  },
  'io.k8s.api.flowcontrol.v1.Subject': {
    discriminator: 'kind',
    'fields-to-discriminateBy': { group: 'Group', serviceAccount: 'ServiceAccount', user: 'User' },
  },
};

/** Definitions that a version 3 document gives two types. */
const unionTypes: Readonly<Record<string, readonly string[]>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': ['string', 'number'],
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': ['integer', 'string'],
};

/** The definitions that `roots` need, and all that these refer to, by name in order. */
export function closureOf(roots: Iterable<string>, schemas: Schemas): string[] {
  const found = new Set<string>();
  const open = [...roots];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const schema = schemas.raw(name);
    if (!schema || found.has(name)) continue;
    found.add(name);
    for (const property of Object.values(schema.properties ?? {})) open.push(...referencesOf(property));
  }
  return [...found].sort();
}

function referencesOf(schema: JsonSchema): string[] {
  if (schema.$ref !== undefined) return [schema.$ref];
  const inner = schema.items ?? schema.additionalProperties;
  return inner ? referencesOf(inner) : [];
}

/** One definition as a document carries it. */
export function describeDefinition(
  name: string,
  schemas: Schemas,
  dialect: Dialect,
  kinds: readonly GroupVersionKind[],
): OpenApiObject {
  const schema = schemas.raw(name) ?? {};
  const facts = schemas.facts(name);
  const properties = Object.entries(schema.properties ?? {}).map(([field, property]) => [
    field,
    describeProperty(field, property, name, schemas, dialect, facts[field] ?? {}),
  ]);
  const union = unionTypes[name];
  const hasUnionType = dialect.version === 3 && union !== undefined;
  const mapType = facts['*']?.mapType;
  const description = schemas.description(name);
  return {
    ...(description === '' ? {} : { description }),
    ...(schema.format === undefined ? {} : { format: schema.format }),
    ...(hasUnionType ? { oneOf: union.map((type) => ({ type })) } : {}),
    ...(properties.length > 0 ? { properties: Object.fromEntries(properties) as OpenApiObject } : {}),
    ...(schema.required ? { required: [...schema.required].sort() } : {}),
    ...(schema.type === undefined || hasUnionType ? {} : { type: schema.type }),
    ...(kinds.length > 0 ? { 'x-kubernetes-group-version-kind': kinds } : {}),
    ...(mapType === undefined ? {} : { 'x-kubernetes-map-type': mapType }),
    ...(unions[name] ? { 'x-kubernetes-unions': [unions[name]] } : {}),
  };
}

function describeProperty(
  field: string,
  property: JsonSchema,
  owner: string,
  schemas: Schemas,
  dialect: Dialect,
  facts: FieldFacts,
): OpenApiObject {
  const description =
    schemas.description(owner, field) ||
    fieldDescriptions[field] ||
    (property.$ref === undefined ? '' : schemas.description(property.$ref));
  return {
    ...describeType(property, dialect, true),
    ...(description === '' ? {} : { description }),
    ...(facts.listMapKeys ? { 'x-kubernetes-list-map-keys': facts.listMapKeys } : {}),
    ...(facts.listType ? { 'x-kubernetes-list-type': facts.listType } : {}),
    ...(facts.mapType ? { 'x-kubernetes-map-type': facts.mapType } : {}),
    ...(facts.patchMergeKey ? { 'x-kubernetes-patch-merge-key': facts.patchMergeKey } : {}),
    ...(facts.patchStrategy ? { 'x-kubernetes-patch-strategy': facts.patchStrategy } : {}),
  };
}

function describeType(schema: JsonSchema, dialect: Dialect, hasSiblings: boolean): OpenApiObject {
  if (schema.$ref !== undefined) {
    const reference = { $ref: dialect.prefix + schema.$ref };
    // Version 3 ignores what stands beside a reference.
    return dialect.version === 3 && hasSiblings ? { allOf: [reference] } : reference;
  }
  return {
    ...(schema.type === undefined ? {} : { type: schema.type }),
    ...(schema.format === undefined ? {} : { format: schema.format }),
    ...(schema.items ? { items: describeType(schema.items, dialect, false) } : {}),
    ...(schema.additionalProperties
      ? { additionalProperties: describeType(schema.additionalProperties, dialect, false) }
      : {}),
  };
}

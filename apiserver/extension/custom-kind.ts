import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  WebhookConversion,
} from '../../shared/api/generated/types.js';
import type { JsonObject } from '../../shared/api/json.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { defineResource, type Resource } from '../../shared/api/resource.js';
import { humanAge } from '../../shared/api/duration.js';
import type { WebhookClient } from '../admission/webhook/webhook-client.js';
import { ageColumn, column, nameColumn } from '../kinds/column.js';
import type { Column, CustomStructure, ResourceDefinition, ScaleMapping, Subresource } from '../registry/definition.js';
import type { FieldError } from '../validation/field-error.js';
import type { StructType } from '../schema/schema-type.js';
import { customStrategy } from './custom-strategy.js';
import { applyDefaults } from './defaulting.js';
import { schemaOf } from './definition-validation.js';
import { parseFieldPath, parsePlainPath, setAt, valueAt, valuesAt } from './json-path.js';
import { prune } from './pruning.js';
import { publishedV2, publishedV3 } from './published-schema.js';
import type { MeasureConversion } from './conversion-metrics.js';
import { rulesOf } from './rules.js';
import { keepingUnknown, type Schema } from './schema.js';
import { structureOf } from './structure-type.js';
import { VersionForms } from './version-forms.js';

type Version = CustomResourceDefinitionVersion;

/** What a kind needs to know besides its definition. */
export interface Surroundings {
  /** Structure of ObjectMeta. */
  readonly metadata: StructType;
  /** Asks conversion webhooks. */
  readonly client: Pick<WebhookClient, 'post'>;
  readonly newUid: () => string;
  readonly measure: MeasureConversion;
  readonly isTerminating: () => boolean;
}

/** The definitions under which a custom resource is served: one a served version; the stored one first. */
export function definitionsOfKind(crd: CustomResourceDefinition, surroundings: Surroundings): ResourceDefinition[] {
  const storage = crd.spec.versions.find((version) => version.storage);
  if (!storage) return [];
  const { strategy, webhook } = crd.spec.conversion ?? {};
  if (strategy === 'Webhook' && webhook) {
    const forms = formsOf(crd, storage, webhook, surroundings);
    const others = crd.spec.versions.filter((version) => version.served && version !== storage);
    return [storage, ...others].map((version) => makeDefinition(crd, version, surroundings, undefined, forms));
  }
  const stored = makeDefinition(crd, storage, surroundings, undefined);
  const others = crd.spec.versions
    .filter((version) => version.served && version !== storage)
    .map((version) => makeDefinition(crd, version, surroundings, stored));
  return [stored, ...others];
}

/** Whether clients may use the version under which a definition is. */
export const isServed = (crd: CustomResourceDefinition, { resource }: ResourceDefinition): boolean =>
  crd.spec.versions.some(({ name, served }) => name === resource.version && served);

function makeDefinition(
  crd: CustomResourceDefinition,
  version: Version,
  surroundings: Surroundings,
  stored: ResourceDefinition | undefined,
  forms?: Forms,
): ResourceDefinition {
  const names = crd.status?.acceptedNames ?? crd.spec.names;
  const schema = usedSchema(crd, version);
  const resource = resourceOf(crd, version);
  const subresources: Subresource[] = [];
  if (version.subresources?.status) subresources.push('status');
  if (version.subresources?.scale) subresources.push('scale');
  const rules = rulesOf(schema);
  const strategy = customStrategy({
    schema,
    rules,
    namespaced: resource.namespaced,
    hasStatus: subresources.includes('status'),
    scale: version.subresources?.scale,
  });
  const scale = scaleMapping(version);
  const deprecation = deprecationOf(version, resource);
  const definition: ResourceDefinition = {
    resource,
    singularName: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    subresources,
    strategy,
    columns: columnsOf(version),
    selectableFields: selectableFields(version),
    hasGeneration: true,
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: false,
    custom: { ...customStructure(resource, schema, surroundings), ...forms?.(resource) },
    ...(scale ? { scale } : {}),
    ...(deprecation === undefined ? {} : { deprecation }),
  };
  return Object.freeze(stored ? overStored(definition, stored, schema) : definition);
}

function usedSchema({ spec }: CustomResourceDefinition, version: Version): Schema {
  const schema = schemaOf(version);
  if (!schema) return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return spec.preserveUnknownFields ? keepingUnknown({ ...schema, type: 'object' }) : schema;
}

function resourceOf({ spec, status }: CustomResourceDefinition, version: Version): Resource<KubernetesObject> {
  const names = status?.acceptedNames ?? spec.names;
  return defineResource<KubernetesObject>({
    group: spec.group,
    version: version.name,
    kind: names.kind,
    resource: names.plural,
    namespaced: spec.scope === 'Namespaced',
  });
}

/** What is special about a version whose objects a webhook converts. */
type Forms = (resource: Resource) => Pick<CustomStructure, 'conversion' | 'decodeStored'>;

/** Where a webhook converts, objects are held as they are stored, each in the form of its own version. */
function formsOf(
  crd: CustomResourceDefinition,
  storage: Version,
  settings: WebhookConversion,
  { client, newUid, measure }: Surroundings,
): Forms {
  const stored = resourceOf(crd, storage);
  const schemas = new Map(crd.spec.versions.map((one) => [resourceOf(crd, one).apiVersion, usedSchema(crd, one)]));
  const pruned = (object: JsonObject, apiVersion: string): JsonObject => {
    const schema = schemas.get(apiVersion);
    return schema ? (prune(object, schema, true) as JsonObject) : object;
  };
  const decodeStored = (bytes: Buffer): Buffer => {
    const text = bytes.toString('utf8');
    const { apiVersion } = JSON.parse(text) as KubernetesObject;
    const schema = schemas.get(apiVersion);
    return schema ? converted(bytes, apiVersion, schema) : bytes;
  };
  const converter = { settings, client, newUid, measure };
  return (resource) => ({ decodeStored, conversion: new VersionForms({ converter, resource, stored, prune: pruned }) });
}

function customStructure(
  resource: Resource,
  schema: Schema,
  { metadata, isTerminating }: Surroundings,
): CustomStructure {
  const { group, version, kind, apiVersion } = resource;
  const meta = structureOf({ type: 'object' }, kind, metadata);
  return {
    structure: structureOf(schema, kind, metadata),
    read: (object) => {
      const unknown: string[] = [];
      const pruned = prune(object, schema, true, { unknown, meta }) as JsonObject;
      return { object: pruned, unknown: unknown.sort(), suggestions: new Map() };
    },
    definitionName: [...group.split('.').reverse(), version, kind].join('.'),
    // Made when somebody asks for the document.
    openApi: {
      get v2() {
        return publishedV2(schema);
      },
      v3: publishedV3(schema),
    },
    decodeStored: (bytes) => converted(bytes, apiVersion, schema),
    isTerminating,
  };
}

/** Stored bytes in the form of the version: its apiVersion, its fields, its defaults. Most need no change. */
function converted(bytes: Buffer, apiVersion: string, schema: Schema): Buffer {
  const text = bytes.toString('utf8');
  const object = JSON.parse(text) as JsonObject;
  const result = inVersion(object, apiVersion, schema);
  const made = JSON.stringify(result);
  return made === text ? bytes : Buffer.from(made);
}

/** Conversion of the strategy None: nothing but the apiVersion differs, and what the schema of the version says. */
function inVersion(object: JsonObject, apiVersion: string, schema: Schema): JsonObject {
  object['apiVersion'] = apiVersion;
  const pruned = prune(object, schema, true) as JsonObject;
  applyDefaults(pruned, schema);
  return pruned;
}

/**
 * A version that is not the stored one: its schema, columns and rules are about its own form, in which each of them is
 * shown the stored object. What only it has stays until it is validated; reading the stored version drops it.
 */
function overStored(version: ResourceDefinition, stored: ResourceDefinition, schema: Schema): ResourceDefinition {
  const { apiVersion } = version.resource;
  const { strategy } = version;
  const fromStored = (object: KubernetesObject): KubernetesObject =>
    inVersion(object as unknown as JsonObject, apiVersion, schema) as unknown as KubernetesObject;
  const show = (object: KubernetesObject): KubernetesObject => fromStored(structuredClone(object));
  const both =
    (check: ((object: KubernetesObject, old: KubernetesObject) => FieldError[]) | undefined) =>
    (object: KubernetesObject, old: KubernetesObject): FieldError[] =>
      check?.(show(object), show(old)) ?? [];
  return {
    ...version,
    columns: version.columns.map((one) => ({ ...one, cell: (object, nowMs) => one.cell(show(object), nowMs) })),
    selectableFields: Object.fromEntries(
      Object.entries(version.selectableFields).map(([field, read]) => [field, (object) => read(show(object))]),
    ),
    strategy: {
      ...strategy,
      ...(stored.strategy.defaults ? { defaults: stored.strategy.defaults } : {}),
      validate: (object) => strategy.validate?.(show(object)) ?? [],
      validateUpdate: both(strategy.validateUpdate),
      validateStatusUpdate: both(strategy.validateStatusUpdate),
    },
    storedAs: {
      definition: stored,
      fromStored,
      toStored: (object) => {
        strategy.defaults?.(object);
        return { ...object, apiVersion: stored.resource.apiVersion };
      },
    },
  };
}

function deprecationOf(version: Version, { apiVersion, kind }: Resource): string | undefined {
  return version.deprecated ? (version.deprecationWarning ?? `${apiVersion} ${kind} is deprecated`) : undefined;
}

function columnsOf({ additionalPrinterColumns: given }: Version): readonly Column<KubernetesObject>[] {
  const name = nameColumn<KubernetesObject>();
  // Columns that lead nowhere are none at all.
  const isUsable = given?.every(({ jsonPath }) => parseFieldPath(jsonPath) !== undefined) === true;
  return given && given.length > 0 && isUsable ? [name, ...given.map(customColumn)] : [name, ageColumn()];
}

function customColumn(given: CustomResourceColumnDefinition): Column<KubernetesObject> {
  const path = parseFieldPath(given.jsonPath) ?? [];
  const type = given.type as Column<unknown>['type'];
  return column(given.name, (object, nowMs) => cellOf(valuesAt(object, path), type, nowMs), {
    type,
    ...(given.format ? { format: given.format } : {}),
    description: given.description ?? `Custom resource definition column (in JSONPath format): ${given.jsonPath}`,
    priority: given.priority ?? 0,
  });
}

/** The first value that a path leads to; null where it has not the type of the column. */
function cellOf([value]: readonly unknown[], type: string, nowMs: number): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'date':
      return typeof value === 'string' ? humanAge(value, nowMs) : null;
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    default:
      return typeof value === 'string' ? value : JSON.stringify(value);
  }
}

function selectableFields({ selectableFields: given }: Version): ResourceDefinition['selectableFields'] {
  const fields: Record<string, (object: KubernetesObject) => string> = {};
  for (const { jsonPath } of given ?? []) {
    const path = parsePlainPath(jsonPath);
    if (!path) continue;
    fields[path.join('.')] = (object) => {
      const value = valueAt(object, path);
      return value === undefined || value === null ? '' : String(value as string | number | boolean);
    };
  }
  return fields;
}

function scaleMapping({ subresources }: Version): ScaleMapping<KubernetesObject> | undefined {
  const given = subresources?.scale;
  if (!given) return undefined;
  const spec = parsePlainPath(given.specReplicasPath) ?? [];
  const status = parsePlainPath(given.statusReplicasPath) ?? [];
  const selector = given.labelSelectorPath ? parsePlainPath(given.labelSelectorPath) : undefined;
  const count = (object: KubernetesObject, path: readonly string[]): number => {
    const value = valueAt(object, path);
    return typeof value === 'number' ? value : 0;
  };
  return {
    lacksSpecReplicas: (object) => (valueAt(object, spec) === undefined ? given.specReplicasPath : undefined),
    getSpecReplicas: (object) => count(object, spec),
    setSpecReplicas: (object, replicas) => setAt(object as unknown as JsonObject, spec, replicas),
    getStatusReplicas: (object) => count(object, status),
    getSelector: (object) => {
      const value = selector && valueAt(object, selector);
      return typeof value === 'string' ? value : '';
    },
  };
}

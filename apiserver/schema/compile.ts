import type { Field, PatchStrategy, ScalarFormat, SchemaType, StructType } from './schema-type.js';
import type { FieldFacts, JsonSchema, Schemas } from './schemas.js';

const machinery = 'io.k8s.apimachinery.pkg';
const extensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** Definitions whose JSON form is one value. */
const scalarDefinitions: Readonly<Record<string, ScalarFormat>> = {
  [`${machinery}.api.resource.Quantity`]: 'quantity',
  [`${machinery}.apis.meta.v1.MicroTime`]: 'micro-time',
  [`${machinery}.apis.meta.v1.Time`]: 'time',
  [`${machinery}.util.intstr.IntOrString`]: 'int-or-string',
};
const anyDefinitions: ReadonlySet<string> = new Set([
  `${machinery}.apis.meta.v1.FieldsV1`,
  `${machinery}.runtime.RawExtension`,
  `${extensions}.JSON`,
]);
const schemaDefinition = `${extensions}.JSONSchemaProps`;
/** A schema or something simpler in its place. */
const schemaAlternatives: ReadonlySet<string> = new Set(
  ['OrArray', 'OrBool', 'OrStringArray'].map((alternative) => schemaDefinition + alternative),
);

/** Keys of associative lists that have a default: the original marks them +default="TCP". */
const protocolDefault = { protocol: 'TCP' };
const keyDefaults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'io.k8s.api.core.v1.Container.ports': protocolDefault,
  'io.k8s.api.core.v1.EphemeralContainer.ports': protocolDefault,
  'io.k8s.api.core.v1.ServiceSpec.ports': protocolDefault,
};

/** Optional structs that are no pointers in Go, by type and field; `*` for those of every kind. */
const plainStructs: Readonly<Record<string, readonly string[]>> = {
  '*': ['metadata', 'spec', 'status'],
  Container: ['resources'],
  ContainerStatus: ['state', 'lastState'],
  DaemonSetSpec: ['updateStrategy'],
  DeploymentSpec: ['strategy'],
  EphemeralContainer: ['resources'],
  Event: ['source'],
  IngressStatus: ['loadBalancer'],
  NodeDaemonEndpoints: ['kubeletEndpoint'],
  NodeStatus: ['daemonEndpoints', 'nodeInfo'],
  PersistentVolumeClaimSpec: ['resources'],
  ServiceStatus: ['loadBalancer'],
  StatefulSetSpec: ['updateStrategy'],
};

function isAlwaysPresent(definition: string, name: string, type: SchemaType, isRequired: boolean): boolean {
  if (isRequired) return type.kind !== 'scalar';
  if (type.kind !== 'struct') return false;
  const typeName = definition.slice(definition.lastIndexOf('.') + 1);
  return plainStructs['*']?.includes(name) === true || plainStructs[typeName]?.includes(name) === true;
}

/** Compiles a definition and all that it refers to; definitions may refer to themselves. */
export function compileStruct(definition: string, schemas: Schemas, compiled: Map<string, StructType>): StructType {
  const schema = schemas.raw(definition) ?? {};
  const facts = schemas.facts(definition);
  const fields = new Map<string, Field>();
  const struct: StructType = {
    kind: 'struct',
    definition,
    goName: definition.slice(definition.lastIndexOf('.') + 1),
    fields,
    mapType: facts['*']?.mapType ?? 'granular',
    preserveUnknown: false,
  };
  compiled.set(definition, struct);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const fact = facts[name] ?? {};
    const type = compileType(property, fact, `${definition}.${name}`, schemas, compiled);
    const required = schema.required?.includes(name) === true;
    fields.set(name, {
      name,
      pathElement: `f:${name}`,
      type,
      required,
      omitEmpty: !required && (type.kind === 'list' || type.kind === 'map'),
      isAlwaysPresent: isAlwaysPresent(definition, name, type, required),
      patchStrategies: (fact.patchStrategy?.split(',') ?? []) as PatchStrategy[],
      patchMergeKey: fact.patchMergeKey,
    });
  }
  return struct;
}

function compileType(
  schema: JsonSchema,
  fact: FieldFacts,
  path: string,
  schemas: Schemas,
  compiled: Map<string, StructType>,
): SchemaType {
  if (schema.$ref !== undefined) return compileReference(schema.$ref, fact, schemas, compiled);
  if (schema.items) {
    return {
      kind: 'list',
      items: compileType(schema.items, {}, path, schemas, compiled),
      listType: fact.listType ?? 'atomic',
      keys: [...(fact.listMapKeys ?? [])].sort(),
      keyDefaults: keyDefaults[path] ?? {},
    };
  }
  if (schema.additionalProperties) {
    const values = compileType(schema.additionalProperties, {}, path, schemas, compiled);
    return { kind: 'map', values, mapType: fact.mapType ?? 'granular' };
  }
  return compileScalar(schema);
}

function compileReference(
  reference: string,
  fact: FieldFacts,
  schemas: Schemas,
  compiled: Map<string, StructType>,
): SchemaType {
  const format = scalarDefinitions[reference];
  if (format) return { kind: 'scalar', format };
  if (anyDefinitions.has(reference)) return { kind: 'any' };
  if (schemaAlternatives.has(reference)) {
    return {
      kind: 'any',
      objects: compiled.get(schemaDefinition) ?? compileStruct(schemaDefinition, schemas, compiled),
    };
  }
  const struct = compiled.get(reference) ?? compileStruct(reference, schemas, compiled);
  // A field may override what its type says (PersistentVolumeSpec.claimRef).
  return fact.mapType && fact.mapType !== struct.mapType ? { ...struct, mapType: fact.mapType } : struct;
}

function compileScalar(schema: JsonSchema): SchemaType {
  switch (schema.type) {
    case 'string':
      return { kind: 'scalar', format: schema.format === 'byte' ? 'bytes' : 'string' };
    case 'boolean':
      return { kind: 'scalar', format: 'bool' };
    case 'integer':
      return { kind: 'scalar', format: schema.format === 'int32' ? 'int32' : 'int64' };
    case 'number':
      return { kind: 'scalar', format: 'float64' };
    default:
      return { kind: 'any' };
  }
}

// Writes shared/api/generated/{types.ts,resources.ts,schemas.json,descriptions.json} from the model files of
// @kubernetes/client-node and the facts tables in shared/api/data. Nothing it writes is kept in git.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { addOlderVersions, olderResourceLines } from './older-versions.js';

interface Attribute {
  name: string;
  baseName: string;
  type: string;
  format: string;
}
interface Field extends Attribute {
  required: boolean;
  description: string;
}
interface Model {
  /** Class name in the model package, e.g. `V1Pod`. */
  className: string;
  /** Name in the OpenAPI document, e.g. `io.k8s.api.core.v1.Pod`. */
  definition: string;
  /** Name of the TypeScript interface, e.g. `Pod`. */
  typeName: string;
  description: string;
  fields: Field[];
}
interface ResourceFact {
  kind: string;
  namespaced: boolean;
  verbs: string[];
}
interface Facts {
  resources: Record<string, ResourceFact>;
}

const root = process.cwd();
const data = join(root, 'shared/api/data');
const out = join(root, 'shared/api/generated');
const require = createRequire(join(root, 'package.json'));
const models = join(dirname(require.resolve('@kubernetes/client-node')), 'gen/models');
const json = <T>(file: string): T => JSON.parse(readFileSync(join(data, file), 'utf8')) as T;

/** Groups that the protobuf table lacks, with the model classes that belong to them. */
const extraPackages: [pattern: RegExp, definitionPrefix: string][] = [
  [/^V1APIService/, 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1'],
  [/^ApiregistrationV1/, 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1'],
  [
    /^ApiextensionsV1|^V1CustomResource|^V1JSONSchemaProps$|^V1ExternalDocumentation$/,
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  ],
  [
    /^V1SelectableField$|^V1ValidationRule$|^V1WebhookConversion$/,
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  ],
  [/^CoreV1ResourceClaim$/, 'io.k8s.api.core.v1'],
  [/^ResourceV1ResourceClaim$|^V1NodeAllocatableResourceMapping$/, 'io.k8s.api.resource.v1'],
  [/^V1beta1NodeAllocatableResourceMapping$/, 'io.k8s.api.resource.v1beta1'],
  [/^V1beta2NodeAllocatableResourceMapping$/, 'io.k8s.api.resource.v1beta2'],
  [/^VersionInfo$/, 'io.k8s.apimachinery.pkg.version'],
];
const shortName = (className: string): string =>
  className.replace(/^(Core|Apiextensions|Apiregistration)?V1(?=[A-Z])/, '');

function definitionNames(classes: Set<string>): Map<string, string> {
  const found = new Map<string, string>([['V1Preconditions', 'io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions']]);
  for (const message of Object.keys(json<Record<string, unknown>>('protobuf-fields.json'))) {
    const parts = message.split('.');
    const [group = '', version = '', name = ''] = parts.slice(-3);
    const prefix = version[0]?.toUpperCase() + version.slice(1);
    const candidates = [prefix + name, group[0]?.toUpperCase() + group.slice(1) + prefix + name];
    const hit = candidates.find((c) => classes.has(c) && !found.has(c));
    if (hit) found.set(hit, `io.k8s.${parts.slice(2).join('.')}`);
  }
  for (const className of classes) {
    const extra = extraPackages.find(([pattern]) => pattern.test(className));
    if (extra)
      found.set(
        className,
        `${extra[1]}.${className.replace(/^(Apiextensions|Apiregistration|Core|Resource)?V1(beta\d)?(?=[A-Z])/, '').replace(/^VersionInfo$/, 'Info')}`,
      );
  }
  return found;
}

const unquote = (text: string): string =>
  text
    .replace(/\n\s*\*\s?/g, '\n')
    .replace(/\\(['"`\\])/g, '$1')
    .replace(/\*\\\//g, '*/')
    .replace(/\/_\*/g, '/*')
    .replace(/\*_\//g, '*/')
    .trim();

function declarations(className: string): {
  description: string;
  fields: Map<string, { required: boolean; description: string }>;
} {
  const text = readFileSync(join(models, `${className}.d.ts`), 'utf8');
  const described = /\/\*\*\n\* ([\s\S]*?)\n\*\/\nexport declare class/.exec(text);
  const fields = new Map<string, { required: boolean; description: string }>();
  for (const m of text.matchAll(/(?: {4}\/\*\*\n {4}\* ((?:(?!\*\/)[\s\S])*?)\n {4}\*\/\n)? {4}'([^']+)'(\??): /g)) {
    fields.set(m[2] as string, { required: m[3] === '', description: unquote(m[1] ?? '') });
  }
  return { description: unquote(described?.[1] ?? ''), fields };
}

async function readModels(): Promise<Model[]> {
  const classes = new Set(
    readdirSync(models)
      .filter((f) => /^[A-Z].*\.js$/.test(f))
      .map((f) => f.slice(0, -3)),
  );
  classes.delete('ObjectSerializer');
  const definitions = definitionNames(classes);
  const result: Model[] = [];
  const taken = new Set<string>();
  for (const className of [...classes].sort()) {
    const definition = definitions.get(className);
    if (!definition) continue;
    const module = (await import(pathToFileURL(join(models, `${className}.js`)).href)) as Record<
      string,
      { attributeTypeMap: Attribute[] }
    >;
    const { description, fields } = declarations(className);
    const typeName = taken.has(shortName(className)) ? className : shortName(className);
    taken.add(typeName);
    const attributes = module[className]?.attributeTypeMap ?? [];
    result.push({
      className,
      definition,
      typeName,
      description,
      fields: attributes.map((a) => ({ ...a, ...(fields.get(a.name) ?? { required: false, description: '' }) })),
    });
  }
  return result;
}

const isKind = (model: Model): boolean =>
  ['apiVersion', 'kind', 'metadata'].every((n) => model.fields.some((f) => f.baseName === n)) &&
  model.fields.some((f) => f.type === 'V1ObjectMeta');
const isList = (model: Model): boolean =>
  model.fields.some((f) => f.type === 'V1ListMeta') && model.fields.some((f) => f.baseName === 'items');

function tsType(type: string, names: Map<string, string>): string {
  const list = /^(?:Array|Set)<(.*)>$/.exec(type);
  if (list) return `${tsType(list[1] as string, names)}[]`;
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map) return `Record<string, ${tsType(map[1] as string, names)}>`;
  if (type === 'any' || type === 'object') return 'unknown';
  if (type === 'Date' || type === 'V1MicroTime') return 'string';
  if (type === 'IntOrString') return 'number | string';
  return names.get(type) ?? type;
}
const wrapUnion = (type: string): string => type.replace(/^number \| string\[\]$/, '(number | string)[]');

/** Server-filled metadata is never absent on an object that came from the API. */
const filledMetadata = new Set(['name', 'uid', 'resourceVersion', 'creationTimestamp']);

function fieldType(model: Model, field: Field, names: Map<string, string>): string {
  if (field.type === 'V1ObjectMeta') return isKind(model) ? 'ObjectMeta' : 'Partial<ObjectMeta>';
  return wrapUnion(tsType(field.type, names));
}
function isRequired(model: Model, field: Field): boolean {
  if (model.typeName === 'ObjectMeta') return filledMetadata.has(field.baseName);
  if (isKind(model)) return field.required || ['apiVersion', 'kind', 'metadata', 'spec'].includes(field.baseName);
  return field.required || (model.typeName === 'PodTemplateSpec' && field.baseName === 'spec');
}

function writeTypes(all: Model[]): void {
  const names = new Map(all.map((m) => [m.className, m.typeName]));
  const comment = (text: string, indent: string): string =>
    text ? `${indent}/** ${text.replace(/\*\//g, '* /').replace(/\s+/g, ' ')} */\n` : '';
  const lines = ['// Generated by scripts/generate-api.ts; do not edit.\n'];
  for (const model of all.filter((m) => !isList(m))) {
    lines.push(`${comment(model.description, '')}export interface ${model.typeName} {`);
    for (const f of model.fields)
      lines.push(
        `${comment(f.description, '  ')}  ${JSON.stringify(f.baseName)}${isRequired(model, f) ? '' : '?'}: ${fieldType(model, f, names)};`,
      );
    lines.push('}\n');
  }
  writeFileSync(join(out, 'types.ts'), lines.join('\n'));
}

type Schema = Record<string, unknown>;
const machinery = 'io.k8s.apimachinery.pkg';
const extensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** Types whose JSON form is not their structure: the models flatten them, the original document names them. */
const namedLeaves: Record<string, Schema> = {
  [`${machinery}.api.resource.Quantity`]: { type: 'string' },
  [`${machinery}.apis.meta.v1.FieldsV1`]: { type: 'object' },
  [`${machinery}.apis.meta.v1.MicroTime`]: { type: 'string', format: 'date-time' },
  [`${machinery}.apis.meta.v1.Patch`]: { type: 'object' },
  [`${machinery}.apis.meta.v1.Time`]: { type: 'string', format: 'date-time' },
  [`${machinery}.runtime.RawExtension`]: { type: 'object' },
  [`${machinery}.util.intstr.IntOrString`]: { type: 'string', format: 'int-or-string' },
  'io.k8s.api.apiserverinternal.v1alpha1.StorageVersionSpec': { type: 'object' },
  [`${extensions}.CustomResourceSubresourceStatus`]: { type: 'object' },
  [`${extensions}.JSON`]: {},
  [`${extensions}.JSONSchemaPropsOrArray`]: {},
  [`${extensions}.JSONSchemaPropsOrBool`]: {},
  [`${extensions}.JSONSchemaPropsOrStringArray`]: {},
};
const leafDescriptions: Record<string, string> = {
  Quantity: 'Quantity is a fixed-point number with an optional SI or binary suffix, such as 500m, 1.5 or 2Gi.',
  FieldsV1:
    "FieldsV1 is a set of fields as a trie in JSON: keys are '.', 'f:<name>', 'k:<keys>', 'v:<value>', 'i:<index>'.",
  MicroTime: 'MicroTime is version of Time with microsecond level precision.',
  Patch: 'Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.',
  Time: 'Time is a moment in RFC 3339 form, with a precision of one second.',
  RawExtension: 'RawExtension holds an object of any kind, kept as it was sent.',
  IntOrString: 'IntOrString is a type that can hold an int32 or a string.',
  CustomResourceSubresourceStatus: 'CustomResourceSubresourceStatus makes the custom resource serve /status.',
  StorageVersionSpec: 'StorageVersionSpec is an empty spec.',
  JSON: 'JSON represents any valid JSON value.',
  JSONSchemaPropsOrArray: 'JSONSchemaPropsOrArray is a schema or an array of schemas.',
  JSONSchemaPropsOrBool: 'JSONSchemaPropsOrBool is a schema or a boolean.',
  JSONSchemaPropsOrStringArray: 'JSONSchemaPropsOrStringArray is a schema or an array of strings.',
};
/** Leaves that the protobuf table lacks. */
const otherLeaves: Record<string, string> = {
  'CustomResourceSubresources.status': `${extensions}.CustomResourceSubresourceStatus`,
  'JSONSchemaProps.additionalItems': `${extensions}.JSONSchemaPropsOrBool`,
  'JSONSchemaProps.additionalProperties': `${extensions}.JSONSchemaPropsOrBool`,
  'JSONSchemaProps.default': `${extensions}.JSON`,
  'JSONSchemaProps.dependencies': `${extensions}.JSONSchemaPropsOrStringArray`,
  'JSONSchemaProps.enum': `${extensions}.JSON`,
  'JSONSchemaProps.example': `${extensions}.JSON`,
  'JSONSchemaProps.items': `${extensions}.JSONSchemaPropsOrArray`,
  'NodeAllocatableResourceClaimStatus.resources': `${machinery}.api.resource.Quantity`,
  'NodeAllocatableResourceMapping.allocationMultiplier': `${machinery}.api.resource.Quantity`,
  'StorageVersion.spec': 'io.k8s.api.apiserverinternal.v1alpha1.StorageVersionSpec',
};
type Messages = Record<string, Record<string, [number, string]>>;

/** Type of a JSON field in the protobuf table; inlined structs are fields of their own there. */
function protobufType(messages: Messages, message: string, name: string): string | undefined {
  const fields = messages[message] ?? {};
  const direct = Object.entries(fields).find(([field]) => field.toLowerCase() === name.toLowerCase());
  if (direct) return direct[1][1];
  for (const [, type] of Object.values(fields)) {
    const hit = type in messages ? messages[type]?.[name] : undefined;
    if (hit) return hit[1];
  }
  return undefined;
}

function leafOf(messages: Messages, model: Model, field: Field): string | undefined {
  const named = otherLeaves[`${model.definition.split('.').at(-1)}.${field.baseName}`];
  if (named) return named;
  const type = protobufType(messages, model.definition.replace(/^io\.k8s\./, 'k8s.io.'), field.baseName);
  const leaf = `io.k8s.${(type ?? '').replace(/^repeated |^map<string,|>$/g, '').replace(/^k8s\.io\./, '')}`;
  return leaf in namedLeaves ? leaf : undefined;
}

function schemaOf(type: string, format: string, definitions: Map<string, string>, leaf?: string): Schema {
  const list = /^(?:Array|Set)<(.*)>$/.exec(type);
  if (list) return { type: 'array', items: schemaOf(list[1] as string, format, definitions, leaf) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map) return { type: 'object', additionalProperties: schemaOf(map[1] as string, format, definitions, leaf) };
  if (leaf) return { $ref: leaf };
  if (type === 'Date') return { $ref: `${machinery}.apis.meta.v1.Time` };
  if (type === 'V1MicroTime') return { $ref: `${machinery}.apis.meta.v1.MicroTime` };
  if (type === 'IntOrString') return { $ref: `${machinery}.util.intstr.IntOrString` };
  if (type === 'any' || type === 'object') return type === 'any' ? {} : { type: 'object' };
  if (type === 'number')
    return { type: format.startsWith('int') ? 'integer' : 'number', ...(format ? { format } : {}) };
  if (type === 'string' || type === 'boolean') return { type, ...(format ? { format } : {}) };
  return { $ref: definitions.get(type) ?? type };
}

/**
 * `schemas.json`: OpenAPI definition name -> schema whose `$ref`s are bare definition names; read at every start.
 * `descriptions.json`: definition name -> field -> description ('' for the type itself); read for OpenAPI only.
 */
function writeSchemas(all: Model[]): void {
  const messages = json<Messages>('protobuf-fields.json');
  const definitions = new Map(all.map((m) => [m.className, m.definition]));
  const schemas: Record<string, Schema> = { ...namedLeaves };
  const descriptions: Record<string, Record<string, string>> = {};
  for (const leaf of Object.keys(namedLeaves)) {
    descriptions[leaf] = { '': leafDescriptions[leaf.split('.').at(-1) ?? ''] ?? '' };
  }
  for (const model of all) {
    const properties: Record<string, Schema> = {};
    const texts: Record<string, string> = { '': model.description };
    for (const f of model.fields) {
      properties[f.baseName] = schemaOf(f.type, f.format, definitions, leafOf(messages, model, f));
      if (f.description) texts[f.baseName] = f.description;
    }
    const required = model.fields.filter((f) => f.required).map((f) => f.baseName);
    schemas[model.definition] = {
      type: 'object',
      ...(required.length > 0 ? { required } : {}),
      ...(model.fields.length > 0 ? { properties } : {}),
    };
    descriptions[model.definition] = texts;
  }
  addOlderVersions(schemas, descriptions);
  writeFileSync(join(out, 'schemas.json'), JSON.stringify(schemas));
  writeFileSync(join(out, 'descriptions.json'), JSON.stringify(descriptions));
}

const variable = (group: string, version: string, resource: string, seen: Set<string>): string => {
  const preferred = resource;
  if (!seen.has(preferred)) return preferred;
  return resource + (group.split('.')[0] ?? '').replace(/^./, (c) => c.toUpperCase()) + version.toUpperCase();
};

function writeResources(all: Model[]): void {
  const facts = json<Facts>('api-facts.json').resources;
  const lines = [
    '// Generated by scripts/generate-api.ts; do not edit.',
    "import type * as t from './types.js';",
    "import { defineResource, type Resource } from '../resource.js';",
    '',
  ];
  const seen = new Set<string>();
  for (const [path, fact] of Object.entries(facts)) {
    const [group = '', version = '', resource = '', sub] = path.split('/');
    const kind = fact.kind.split('/').at(-1) ?? '';
    const suffix = `.${version}.${kind}`;
    const groupPackage = group === '' ? 'core' : (group.split('.')[0] ?? '');
    const model = all.find((m) => m.definition.endsWith(`.${groupPackage}${suffix}`));
    if (sub || !model) continue;
    const name = variable(group, version, resource, seen);
    seen.add(name);
    lines.push(
      `export const ${name}: Resource<t.${model.typeName}> = defineResource({ group: '${group}', version: '${version}', kind: '${kind}', resource: '${resource}', namespaced: ${fact.namespaced}, definition: '${model.definition}' });`,
    );
  }
  lines.push('', ...olderResourceLines());
  writeFileSync(join(out, 'resources.ts'), `${lines.join('\n')}\n`);
}

mkdirSync(out, { recursive: true });
const all = await readModels();
writeTypes(all);
writeSchemas(all);
writeResources(all);
process.stdout.write(`generated ${all.length} types\n`);

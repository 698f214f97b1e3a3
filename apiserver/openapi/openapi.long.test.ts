import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { olderResources } from '../../shared/api/generated/resources.js';
import type { Resource } from '../../shared/api/resource.js';
import { inSlices } from '../../shared/lifecycle/slices.js';
import { servedResources } from '../discovery/served-resources.js';
import { definitions } from '../kinds/index.js';
import { loadSchemas } from '../schema/schemas.js';
import { bindingResources } from '../subresources/binding.js';
import { reviewResources } from '../subresources/reviews.js';
import { openApiV2 } from './document-v2.js';

/** Compares with the original document, which is not part of the project: KNARR_REFERENCE says where it lies. */
const reference = process.env['KNARR_REFERENCE'] ?? '../shared/data';

interface Property {
  [key: string]: unknown;
  $ref?: string;
  description?: string;
  items?: Property;
  additionalProperties?: Property;
}
interface Definition {
  [key: string]: unknown;
  description?: string;
  required?: string[];
  properties?: Record<string, Property>;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
}
interface Parameter {
  [key: string]: unknown;
  $ref?: string;
  name?: string;
  description?: string;
}
interface Operation {
  [key: string]: unknown;
  parameters?: Parameter[];
}
interface Document {
  definitions: Record<string, Definition>;
  paths: Record<string, Record<string, Operation>>;
  parameters: Record<string, Parameter>;
}

const original = JSON.parse(gunzipSync(readFileSync(join(reference, 'openapi-1.36.json.gz'))).toString()) as Document;
const schemas = loadSchemas();
// Which they are does not depend on who decides.
const virtual = [...reviewResources({} as never).keys(), ...bindingResources({} as never, {} as never).keys()];
const served = servedResources(definitions, virtual, schemas.resourceFacts());
const ours = (await inSlices(openApiV2(served, schemas))) as unknown as Document;

interface Difference {
  readonly path: RegExp;
  readonly reason: string;
}

/** What the original serves and this server does not. */
const notServed: readonly Difference[] = [
  {
    path: /^\/apis\/[^/]+\/v\d+(alpha|beta)\d+\//,
    reason: 'alpha and beta versions are off in the original too, unless they are asked for',
  },
  {
    path: /^\/apis\/(internal\.apiserver|storagemigration)\.k8s\.io\/$/,
    reason: 'groups that have alpha and beta versions only',
  },
  { path: /^\/logs\//, reason: 'files of the host of the original; logs go to the standard output here' },
];

/** What this server serves and the original no longer does: old versions that manifests in the wild still name. */
const servedBeyond: readonly Difference[] = [
  { path: /^\/apis\/extensions\/v1beta1\/|^\/apis\/extensions\/$/, reason: 'removed in 1.22' },
  {
    path: /^\/apis\/(apps|networking\.k8s\.io|batch|policy|autoscaling)\/v\d+beta\d+\//,
    reason: 'removed between 1.16 and 1.26',
  },
];
const isKnown = (known: readonly Difference[], path: string): boolean => known.some((one) => one.path.test(path));

/** The model files fold line breaks into spaces. */
const folded = (text: string | undefined): string => (text ?? '').replace(/\s+/g, ' ').trim();
const hasManyKinds = (name: string): boolean => /\.(DeleteOptions|WatchEvent)$/.test(name);

/**
 * Known differences, each with its reason:
 * - Descriptions of fields that refer to another type: the model files leave them out; ours say what the type says.
 * - Descriptions of the types that the models flatten (Quantity, Time, RawExtension ...): ours are our own, shorter ones.
 * - The kinds of DeleteOptions and WatchEvent: one for each group that is served.
 */
const flattened =
  /\.(Quantity|FieldsV1|MicroTime|Patch|Time|RawExtension|IntOrString|JSON.*|CustomResourceSubresourceStatus)$/;
const refersToType = ({ $ref }: Property): boolean => $ref !== undefined;

/**
 * Additions, each on purpose: the versions that the original has stopped serving and that documents in the wild still use.
 * They are served with a warning; their structure is derived (scripts/older-versions.ts).
 */
const older: readonly Resource[] = [
  ...definitions
    .filter(({ deprecation, storedAs }) => deprecation !== undefined && storedAs !== undefined)
    .map(({ resource }) => resource),
  ...Object.values(olderResources).filter(({ kind }) => kind.endsWith('Review')),
];
const olderPackages = new Set(older.map(({ definition = '' }) => definition.slice(0, definition.lastIndexOf('.'))));
const isAddedDefinition = (name: string): boolean =>
  original.definitions[name] === undefined && olderPackages.has(name.slice(0, name.lastIndexOf('.')));
const isAddedPath = (path: string): boolean =>
  older.some(({ group, basePath, resource }) => {
    const [root, collection] = [
      `/apis/${group}/`,
      path.replace('/watch/', '/').replace('/namespaces/{namespace}', '').split('/{name}')[0],
    ];
    return (
      collection === `${basePath}/${resource}` || ((path === root || path === `${basePath}/`) && !original.paths[path])
    );
  });

test('the definitions of the served kinds have the fields of the original', () => {
  const differences: string[] = [];
  for (const [name, definition] of Object.entries(ours.definitions)) {
    const expected = original.definitions[name];
    if (isAddedDefinition(name)) continue;
    if (!expected) {
      if (!/\.v\d+beta\d+\./.test(name)) differences.push(`${name} is not in the original`);
      continue;
    }
    const { description, properties = {}, required = [], ...rest } = definition;
    const { description: text, properties: fields = {}, required: needed = [], ...others } = expected;
    if (hasManyKinds(name)) delete rest['x-kubernetes-group-version-kind'];
    if (hasManyKinds(name)) delete others['x-kubernetes-group-version-kind'];
    if (JSON.stringify(sorted(rest)) !== JSON.stringify(sorted(others)))
      differences.push(`${name}: type or extensions`);
    if (JSON.stringify(required.toSorted()) !== JSON.stringify(needed.toSorted()))
      differences.push(`${name}: required`);
    if (!flattened.test(name) && folded(description) !== folded(text)) differences.push(`${name}: description`);
    for (const field of new Set([...Object.keys(properties), ...Object.keys(fields)])) {
      const difference = compareProperties(properties[field], fields[field]);
      if (difference) differences.push(`${name}.${field}: ${difference}`);
    }
  }
  assert.deepEqual(differences, []);
  assert.ok(Object.keys(ours.definitions).length > 200);
});

function compareProperties(ours: Property | undefined, theirs: Property | undefined): string | undefined {
  if (!ours || !theirs) return ours ? 'is not in the original' : 'is missing';
  const { description, ...structure } = ours;
  const { description: text, ...expected } = theirs;
  if (JSON.stringify(sorted(structure)) !== JSON.stringify(sorted(expected))) return 'type or extensions';
  return !refersToType(ours) && folded(description) !== folded(text) ? 'description' : undefined;
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

/** CBOR is refused with 415. */
const withoutCbor = (types: unknown): unknown =>
  Array.isArray(types)
    ? types.filter((type: string) => !type.includes('cbor')).sort((a: string, b: string) => (a < b ? -1 : 1))
    : types;

test('every operation is that of the original', () => {
  const differences: string[] = [];
  for (const [path, item] of Object.entries(ours.paths)) {
    if (isKnown(servedBeyond, path) && !original.paths[path]) continue;
    for (const [method, operation] of Object.entries(item)) {
      if (method === 'parameters' || isAddedPath(path)) continue;
      const expected = original.paths[path]?.[method];
      if (!expected) {
        differences.push(`${method} ${path} is not in the original`);
        continue;
      }
      const differ = (what: string, given: unknown, wanted: unknown): void => {
        if (JSON.stringify(sorted(given)) === JSON.stringify(sorted(wanted))) return;
        differences.push(`${method} ${path} ${what}: ${JSON.stringify(given)} for ${JSON.stringify(wanted)}`);
      };
      for (const key of new Set([...Object.keys(operation), ...Object.keys(expected)])) {
        if (key === 'parameters') continue;
        differ(key, withoutCbor(operation[key]), withoutCbor(expected[key]));
      }
      differ('parameters', parameters(ours, path, operation), parameters(original, path, expected));
    }
  }
  assert.deepEqual(differences, []);
});

/** All parameters, wherever they stand: in the operation, shared by the path, or by reference; the words apart. */
function parameters(document: Document, path: string, operation: Operation): unknown[] {
  const shared = (document.paths[path]?.['parameters'] ?? []) as unknown as Parameter[];
  const keyOf = ({ name = '', in: place }: Parameter): string => `${name} ${String(place)}`;
  return [...(operation.parameters ?? []), ...shared]
    .map((given) => {
      const { description: _words, ...rest } = document.parameters[(given.$ref ?? '').split('/').at(-1) ?? ''] ?? given;
      return rest;
    })
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

test('every operation of the original is there', () => {
  const missing = Object.entries(original.paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => method !== 'parameters' && !ours.paths[path]?.[method])
      .map((method) => `${method} ${path}`),
  );
  assert.deepEqual(
    missing.filter((text) => !isKnown(notServed, watchless(text.split(' ')[1] ?? ''))),
    [],
  );
});

/** The path without the part that makes it one of the old watches. */
const watchless = (path: string): string => path.replace(/^(\/api\/v1|\/apis\/[^/]+\/[^/]+)\/watch\//, '$1/');

test('every type that the served operations of the original need is there', () => {
  const needed = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      if (key !== '$ref' || typeof item !== 'string') visit(item);
      else if (item.startsWith('#/definitions/') && !needed.has(item.slice(14))) {
        needed.add(item.slice(14));
        visit(original.definitions[item.slice(14)]);
      } else if (item.startsWith('#/parameters/')) visit(original.parameters[item.slice(13)]);
    }
  };
  for (const [path, item] of Object.entries(original.paths))
    for (const [method, operation] of Object.entries(item)) if (ours.paths[path]?.[method]) visit(operation);
  assert.ok(needed.size > 400);
  assert.deepEqual(
    [...needed].filter((name) => !ours.definitions[name]),
    [],
  );
});

test('discovery tells the verbs, names and scopes of the original, kind by kind', () => {
  const facts = schemas.resourceFacts();
  const differences: string[] = [];
  for (const [path, fact] of Object.entries(facts)) {
    const [group = '', version = '', resource = '', subresource] = path.split('/');
    if (isKnown(notServed, `/apis/${group}/${version}/`)) continue;
    const found = served.find((one) => one.group === group && one.version === version && one.resource === resource);
    const part = subresource === undefined ? found : found?.subresources.find(({ name }) => name === subresource);
    if (!part) {
      if (!isKnown(notServed, `/api/${version}/${resource}/{name}/${subresource ?? ''}`))
        differences.push(`${path} is missing`);
      continue;
    }
    if (found?.namespaced !== fact.namespaced) differences.push(`${path}: scope`);
    const verbs = part.verbs.filter((verb) => verb !== 'watch').toSorted();
    if (!fact.verbs.includes('connect') && JSON.stringify(verbs) !== JSON.stringify(fact.verbs.toSorted()))
      differences.push(`${path}: ${verbs.join(' ')} for ${fact.verbs.join(' ')}`);
  }
  assert.deepEqual(differences, []);
});

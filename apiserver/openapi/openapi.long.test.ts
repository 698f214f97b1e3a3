import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { discoverableResources } from '../discovery/discoverable.js';
import { definitions } from '../kinds/index.js';
import { loadSchemas } from '../schema/schemas.js';
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
interface Operation {
  [key: string]: unknown;
  parameters?: { $ref?: string; name?: string }[];
}
interface Document {
  definitions: Record<string, Definition>;
  paths: Record<string, Record<string, Operation>>;
  parameters: Record<string, { name: string; in: string; type?: string; required?: boolean }>;
}

const original = JSON.parse(gunzipSync(readFileSync(join(reference, 'openapi-1.36.json.gz'))).toString()) as Document;
const schemas = loadSchemas();
const ours = openApiV2(discoverableResources(definitions, schemas.resourceFacts()), schemas) as unknown as Document;

/** The model files fold line breaks into spaces. */
const folded = (text: string | undefined): string => (text ?? '').replace(/\s+/g, ' ').trim();
const hasManyKinds = (name: string): boolean => /\.(DeleteOptions|WatchEvent)$/.test(name);

/**
 * Known differences, each with its reason:
 * - Descriptions of fields that refer to another type: the model files leave them out; ours say what the type says.
 * - Descriptions of the types that the models flatten (Quantity, Time, RawExtension ...): ours are our own, shorter ones.
 * - The kinds of DeleteOptions and WatchEvent: one for each group that is served.
 * - Definitions that differ in text only because the original has no description: none.
 */
const flattened =
  /\.(Quantity|FieldsV1|MicroTime|Patch|Time|RawExtension|IntOrString|JSON.*|CustomResourceSubresourceStatus)$/;
const refersToType = ({ $ref }: Property): boolean => $ref !== undefined;

test('the definitions of the served kinds have the fields of the original', () => {
  const differences: string[] = [];
  for (const [name, definition] of Object.entries(ours.definitions)) {
    const expected = original.definitions[name];
    if (!expected) {
      differences.push(`${name} is not in the original`);
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

test('the operations of the served kinds are those of the original', () => {
  const differences: string[] = [];
  for (const [path, item] of Object.entries(ours.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (method === 'parameters') continue;
      const expected = original.paths[path]?.[method];
      if (!expected) {
        differences.push(`${method} ${path} is not in the original`);
        continue;
      }
      for (const key of [
        'operationId',
        'description',
        'x-kubernetes-action',
        'x-kubernetes-group-version-kind',
        'tags',
      ]) {
        if (JSON.stringify(sorted(operation[key])) !== JSON.stringify(sorted(expected[key]))) {
          differences.push(
            `${method} ${path} ${key}: ${JSON.stringify(operation[key])} for ${JSON.stringify(expected[key])}`,
          );
        }
      }
      const responses = (given: Operation): unknown => sorted(given['responses']);
      if (JSON.stringify(responses(operation)) !== JSON.stringify(responses(expected))) {
        differences.push(`${method} ${path} responses`);
      }
      const names = parameterNames(ours, path, operation);
      const expectedNames = parameterNames(original, path, expected);
      if (operation['x-kubernetes-action'] !== 'connect' && !path.endsWith('/log') && names !== expectedNames) {
        differences.push(`${method} ${path} parameters: ${names} for ${expectedNames}`);
      }
    }
  }
  assert.deepEqual(differences, []);
});

/** Wherever they stand: beside the operation, or shared by the path. */
function parameterNames(document: Document, path: string, operation: Operation): string {
  const shared = (document.paths[path]?.['parameters'] ?? []) as unknown as { $ref?: string; name?: string }[];
  return [...(operation.parameters ?? []), ...shared]
    .map(({ $ref, name }) => name ?? document.parameters[($ref ?? '').split('/').at(-1) ?? '']?.name)
    .sort((a = '', b = '') => (a < b ? -1 : 1))
    .join(' ');
}

test('every path of the served kinds is there, but for the deprecated watch paths', () => {
  const served = new Set(definitions.map(({ resource }) => `${resource.basePath}/${resource.resource}`));
  const missing = Object.keys(original.paths).filter((path) => {
    if (path.includes('/watch/') || path in ours.paths) return false;
    const collection = path.replace('/namespaces/{namespace}', '').split('/{name}')[0] ?? '';
    return served.has(collection) && !unserved.has(path.split('/{name}/')[1] ?? '');
  });
  assert.deepEqual(missing, []);
});
/** Subresources that the kinds here do not have yet are told by their definitions, not by this test. */
const unserved = new Set(
  ['proxy', 'proxy/{path}', 'ephemeralcontainers', 'resize', 'eviction', 'token', 'approval', 'finalize'].filter(
    (name) =>
      !definitions.some(({ subresources }) => (subresources as readonly string[]).includes(name.split('/')[0] ?? '')),
  ),
);

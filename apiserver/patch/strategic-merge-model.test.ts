import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isObject, type JsonObject } from '../../shared/api/json.js';
import { strategicMergePatch } from '../../shared/patch/strategic-merge-patch.js';
import { loadSchemas } from '../schema/schemas.js';
import { MergeSchemas } from './merge-schemas.js';

const schema = new MergeSchemas().of(loadSchemas().type('io.k8s.api.core.v1.PodSpec'));
/** The lists of a pod that merge, and by what. All others are replaced. */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  env: 'name',
  ports: 'containerPort',
  volumeMounts: 'mountPath',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
};

/** The rules of a strategic merge as they are told, without regard to the order of lists. */
function model(current: JsonObject, patch: JsonObject): JsonObject {
  const { $patch, ...changes } = patch;
  if ($patch === 'delete') return {};
  if ($patch === 'replace') return changes;
  const result: JsonObject = { ...current };
  for (const [name, value] of Object.entries(changes)) {
    const key = mergeKeys[name];
    if (value === null) delete result[name];
    else if (result[name] === undefined) result[name] = taken(value);
    else if (Array.isArray(value) && key !== undefined)
      result[name] = modelList(result[name], value as JsonObject[], key);
    else if (isObject(value)) result[name] = model((result[name] ?? {}) as JsonObject, value);
    else result[name] = value;
  }
  return result;
}

/** What is not there yet is taken from the patch, but for all that has a directive. */
function taken(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(taken).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (value['$patch'] !== undefined) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, taken(item)]));
}

function modelList(current: unknown, patch: readonly JsonObject[], key: string): JsonObject[] {
  const changes = patch.filter((item) => item['$patch'] === undefined);
  if (patch.some((item) => item['$patch'] === 'replace')) return changes;
  const items = new Map(((current ?? []) as JsonObject[]).map((item) => [item[key], item]));
  for (const item of patch) if (item['$patch'] === 'delete') items.delete(item[key]);
  for (const item of changes) {
    const known = items.get(item[key]);
    items.set(item[key], known ? model(known, item) : item);
  }
  return [...items.values()];
}

/** With every list that merges sorted by its key. */
function unordered(value: unknown, name = ''): unknown {
  const key = mergeKeys[name];
  if (Array.isArray(value)) {
    const items = value.map((item) => unordered(item));
    const textOf = (item: unknown): string => (key === undefined ? '' : String((item as JsonObject)[key]));
    return key === undefined ? items : items.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([field, item]) => [field, unordered(item, field)]));
}

const word = fc.constantFrom('a', 'b', 'c', 'd');
const directive = fc.constantFrom('delete', 'replace');

/** An object with some of the fields; a patch also has nulls and directives. */
function record(
  fields: Record<string, fc.Arbitrary<unknown>>,
  key: string | undefined,
  isPatch: boolean,
): fc.Arbitrary<JsonObject> {
  const given = Object.entries(fields).map(([name, value]): [string, fc.Arbitrary<unknown>] => [
    name,
    isPatch && name !== key ? fc.oneof({ weight: 6, arbitrary: value }, fc.constant(null)) : value,
  ]);
  return fc.record(Object.fromEntries(given), {
    requiredKeys: key === undefined ? [] : [key],
  }) as fc.Arbitrary<JsonObject>;
}

function list(
  name: string,
  fields: Record<string, fc.Arbitrary<unknown>>,
  isPatch: boolean,
): fc.Arbitrary<JsonObject[]> {
  const key = mergeKeys[name] ?? '';
  const items = fc.uniqueArray(record(fields, key, isPatch), { selector: (item) => item[key], maxLength: 4 });
  if (!isPatch) return items;
  return fc
    .tuple(items, fc.array(fc.tuple(fields[key] ?? word, directive), { maxLength: 2 }))
    .map(([changes, others]) => {
      const named = new Set(changes.map((item) => item[key]));
      const free = others.filter(([value]) => !named.has(value));
      return [
        ...changes,
        ...free.map(([value, $patch]) => ($patch === 'delete' ? { [key]: value, $patch } : { $patch })),
      ];
    });
}

function spec(isPatch: boolean): fc.Arbitrary<JsonObject> {
  const map = fc.dictionary(word, isPatch ? fc.option(word) : word);
  const marked = isPatch
    ? fc.oneof(
        { weight: 4, arbitrary: map },
        fc.tuple(map, directive).map(([value, $patch]) => ({ ...value, $patch })),
      )
    : map;
  const container = {
    name: word,
    image: word,
    args: fc.array(word, { maxLength: 2 }),
    env: list('env', { name: word, value: word }, isPatch),
    ports: list('ports', { containerPort: fc.nat(3), protocol: word }, isPatch),
    volumeMounts: list('volumeMounts', { mountPath: word, name: word }, isPatch),
    securityContext: record({ runAsUser: fc.nat(3), privileged: fc.boolean() }, undefined, isPatch),
  };
  const fields = {
    containers: list('containers', container, isPatch),
    imagePullSecrets: list('imagePullSecrets', { name: word }, isPatch),
    hostAliases: list('hostAliases', { ip: word, hostnames: fc.array(word, { maxLength: 2 }) }, isPatch),
    nodeSelector: marked,
    nodeName: word,
    tolerations: fc.array(record({ key: word }, undefined, false), { maxLength: 2 }),
  };
  return record(fields, undefined, isPatch);
}

/** Nulls have no place in an object: where a patch replaces, they are left out. */
const withoutNulls = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, item: unknown) => (item === null ? undefined : item)) as unknown;

test('agrees with a plain model over lists in lists, maps, nulls and directives', () => {
  fc.assert(
    fc.property(spec(false), spec(true), (current, patch) => {
      const merged = strategicMergePatch(current, patch, schema);
      assert.deepEqual(unordered(withoutNulls(merged)), unordered(withoutNulls(model(current, patch))));
    }),
    { numRuns: 1000 },
  );
});

test('what the patch names comes in its order, what it does not keeps its own', () => {
  const items = list('containers', { name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), image: word }, false);
  fc.assert(
    fc.property(items, items, (current, changes) => {
      const { containers = [] } = strategicMergePatch({ containers: current }, { containers: changes }, schema) as {
        containers?: JsonObject[];
      };
      const named = new Set(changes.map((item) => item['name']));
      const names = containers.map((item) => item['name']);
      assert.deepEqual(
        names.filter((name) => named.has(name)),
        changes.map((item) => item['name']),
      );
      assert.deepEqual(
        names.filter((name) => !named.has(name)),
        current.map((item) => item['name']).filter((name) => !named.has(name)),
      );
    }),
  );
});

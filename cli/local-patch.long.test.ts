import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { testFolder } from '../apiserver/testing/test-folder.js';
import { cloneJson, isObject, type JsonObject } from '../shared/api/json.js';
import { Failure } from './cluster/failure.js';
import { patchHere } from './local-patch.js';
import type { AnyObject } from './server-api.js';
import { stockKubectl } from './testing/stock-kubectl.js';
import { TypeTables } from './type-tables.js';

// Any strategic merge patch of any pod, by knarr and by stock kubectl, which has the merge of Kubernetes itself.

type Fields = Readonly<Record<string, fc.Arbitrary<unknown>>>;

const word: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd');
const number = fc.constantFrom(80, 81, 82);

/** An object with some of the fields; one of a patch also has nulls. */
function record(fields: Fields, isPatch: boolean, key?: string): fc.Arbitrary<JsonObject> {
  const model = Object.entries(fields).map(([name, value]): [string, fc.Arbitrary<unknown>] => [
    name,
    isPatch && name !== key ? fc.oneof({ weight: 8, arbitrary: value }, fc.constant(null)) : value,
  ]);
  return fc.record(Object.fromEntries(model), { requiredKeys: key === undefined ? [] : [key] });
}

/** A list that merges; one of a patch also has directives. */
function items(key: string, fields: Fields, isPatch: boolean): fc.Arbitrary<unknown> {
  const item = record(fields, isPatch, key);
  const deletion = item.map((of): JsonObject => ({ [key]: of[key], $patch: 'delete' }));
  const any = isPatch ? fc.oneof({ weight: 6, arbitrary: item }, deletion) : item;
  const list = fc.uniqueArray(any, { maxLength: 4, selector: (of) => of[key] });
  const replacing = list.map((all) => [...all, { $patch: 'replace' }]);
  return isPatch ? fc.oneof({ weight: 8, arbitrary: list }, replacing) : list;
}

function map(isPatch: boolean): fc.Arbitrary<unknown> {
  const entries = fc.dictionary(word, isPatch ? fc.oneof(word, fc.constant(null)) : word, { maxKeys: 3 });
  const replacing = entries.map((all) => ({ ...all, $patch: 'replace' }));
  return isPatch ? fc.oneof({ weight: 6, arbitrary: entries }, replacing, fc.constant({ $patch: 'delete' })) : entries;
}

/** With the order of the items of a list, unless it also has directives: kubectl then forgets where items of the server stood. */
const ordered = (spec: JsonObject, name: string, key: string): JsonObject => {
  const list = spec[name];
  if (!Array.isArray(list) || list.length === 0 || list.some((item) => isObject(item) && '$patch' in item)) return spec;
  const named = list.map((item: JsonObject) => item[key]);
  const rest = ['d', 'b'].filter((id) => !named.includes(id));
  return { ...spec, [`$setElementOrder/${name}`]: [...named, ...rest].map((id) => ({ [key]: id })) };
};

function spec(isPatch: boolean): fc.Arbitrary<JsonObject> {
  const container = {
    name: word,
    image: word,
    args: fc.array(word, { maxLength: 2 }),
    env: items('name', { name: word, value: word }, isPatch),
    envFrom: fc.array(record({ prefix: word }, false), { maxLength: 2 }),
    ports: items('containerPort', { containerPort: number, name: word, protocol: word }, isPatch),
    volumeMounts: items('mountPath', { mountPath: word, name: word }, isPatch),
  };
  const fields = {
    containers: items('name', container, isPatch),
    volumes: items('name', { name: word, hostPath: record({ path: word }, isPatch) }, isPatch),
    hostAliases: items('ip', { ip: word, hostnames: fc.array(word, { maxLength: 2 }) }, isPatch),
    imagePullSecrets: items('name', { name: word }, isPatch),
    topologySpreadConstraints: items('topologyKey', { topologyKey: word, maxSkew: number }, isPatch),
    tolerations: fc.array(record({ key: word }, false), { maxLength: 2 }),
    nodeSelector: map(isPatch),
    nodeName: word,
    securityContext: record({ runAsUser: number, supplementalGroups: fc.array(number, { maxLength: 2 }) }, isPatch),
  };
  const plain = record(fields, isPatch);
  return isPatch
    ? fc.oneof(
        plain,
        plain.map((of) => ordered(ordered(of, 'containers', 'name'), 'volumes', 'name')),
      )
    : plain;
}

const finalizers = fc.uniqueArray(word, { minLength: 1, maxLength: 4 });
const metadata = fc.record({ labels: map(false), finalizers }, { requiredKeys: [] });
/** Values that are added, and others that are removed; sometimes with the order of those that stay. */
const metadataPatch = fc.tuple(map(true), finalizers, fc.boolean()).map(([labels, added, isOrdered]) => ({
  labels,
  finalizers: added,
  '$deleteFromPrimitiveList/finalizers': ['a', 'd'].filter((value) => !added.includes(value)),
  ...(isOrdered ? { '$setElementOrder/finalizers': added } : {}),
}));
const patches = fc.oneof(
  { weight: 3, arbitrary: fc.record({ spec: spec(true) }) },
  fc.record({ metadata: metadataPatch }),
);

/** kubectl leaves nulls and directives in what it takes from a patch as it stands; a server drops them when it decodes it. */
function decoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !(isObject(item) && '$patch' in item)).map(decoded);
  if (!isObject(value)) return value;
  const fields = Object.entries(value).filter(([name, inner]) => inner !== null && !name.startsWith('$'));
  return Object.fromEntries(fields.map(([name, inner]) => [name, decoded(inner)]));
}

const folder = testFolder('local-patch-model');
after(() => rmSync(folder, { recursive: true }));

test('strategic merge patches make of pods what they make of them with kubectl', () => {
  const file = join(folder, 'pod.json');
  const types = new TypeTables();
  const kubectl = stockKubectl();
  fc.assert(
    fc.property(metadata, spec(false), patches, (meta, podSpec, patch) => {
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...meta, name: 'p' }, spec: podSpec } as AnyObject;
      writeFileSync(file, JSON.stringify(pod));
      const args = ['patch', '--local', '-f', file, '-o', 'json', '-p', JSON.stringify(patch)];
      const theirs = spawnSync(kubectl, args, {
        encoding: 'utf8',
        env: { ...process.env, KUBECONFIG: '/nonexistent' },
      });
      let ours: unknown;
      try {
        ours = patchHere(cloneJson(pod), cloneJson(patch), 'strategic', types);
      } catch (error) {
        assert.ok(error instanceof Failure, String(error));
        assert.equal(`error: ${error.message}\n`, theirs.stderr);
        return;
      }
      assert.equal(theirs.status, 0, theirs.stderr);
      assert.deepEqual(decoded(JSON.parse(JSON.stringify(ours))), decoded(JSON.parse(theirs.stdout)));
    }),
    { numRuns: 200 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discoverableResources, unstoredResources } from '../discovery/discoverable.js';
import { definitions } from '../kinds/index.js';
import { loadSchemas } from '../schema/schemas.js';
import { gnosticMediaType, OpenApi, wantsGnostic } from './openapi.js';

const schemas = loadSchemas();
const facts = schemas.resourceFacts();
const openApi = new OpenApi(
  [
    ...discoverableResources(definitions, facts),
    ...unstoredResources(['authentication.k8s.io/v1/tokenreviews'], facts),
  ],
  schemas,
);
type Json = { [key: string]: Json } & { [index: number]: Json } & string;
const parse = (bytes: Buffer): Json => JSON.parse(bytes.toString()) as Json;
const gvk = { group: 'apps', kind: 'Deployment', version: 'v1' };

test('version 2 tells kubectl how to merge, and which kinds know dry runs', async () => {
  const { paths, definitions: types } = parse((await openApi.v2Json()).bytes) as unknown as Record<string, Json>;
  const patch = paths?.['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.['patch'];
  assert.deepEqual(patch?.['x-kubernetes-group-version-kind'], gvk);
  const parameters = patch?.['parameters'] as unknown as { name?: string; in?: string }[];
  assert.ok(parameters.some(({ name, in: place }) => name === 'dryRun' && place === 'query'));
  const containers = types?.['io.k8s.api.core.v1.PodSpec']?.['properties']?.['containers'] as unknown as object;
  const { description: _description, ...structure } = containers as Record<string, unknown>;
  assert.deepEqual(structure, {
    type: 'array',
    items: { $ref: '#/definitions/io.k8s.api.core.v1.Container' },
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-patch-merge-key': 'name',
    'x-kubernetes-patch-strategy': 'merge',
  });
  assert.deepEqual(types?.['io.k8s.api.apps.v1.Deployment']?.['x-kubernetes-group-version-kind'], [gvk]);
});

test('every reference of every document leads somewhere', async () => {
  const paths = ['api/v1', 'apis/apps/v1', 'apis/authentication.k8s.io/v1'];
  const documents = paths.map((path) => openApi.v3Document(path));
  for (const document of await Promise.all([openApi.v2Json(), ...documents])) {
    assert.ok(document);
    const whole = parse(document.bytes);
    const references = new Set(document.bytes.toString().match(/"\$ref":"#[^"]+"/g));
    assert.ok(references.size > 10);
    for (const reference of references) {
      const path = reference.slice(10, -1).split('/');
      const found = path.reduce<Json | undefined>((node, step) => node?.[step], whole);
      assert.notEqual(found, undefined, reference);
    }
  }
});

test('version 3 has an index of immutable documents', async () => {
  const index = parse((await openApi.v3Index()).bytes) as unknown as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  const apps = await openApi.v3Document('apis/apps/v1');
  assert.ok(apps);
  assert.equal(index.paths['apis/apps/v1']?.serverRelativeURL, `/openapi/v3/apis/apps/v1?hash=${apps.hash}`);
  assert.ok('api/v1' in index.paths);
  assert.equal(await openApi.v3Document('apis/nope/v1'), undefined);
  const { paths, components } = parse(apps.bytes) as unknown as Record<string, Json>;
  assert.ok(!Object.keys(paths ?? {}).some((path) => path.startsWith('/api/')));
  const spec = components?.['schemas']?.['io.k8s.api.apps.v1.DeploymentSpec']?.['properties']?.['template'];
  assert.deepEqual(spec?.['allOf'], [{ $ref: '#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec' }]);
});

test('documents are built once, and equal resources give equal hashes', async () => {
  assert.equal(await openApi.v2Json(), await openApi.v2Json());
  const other = new OpenApi(discoverableResources(definitions, facts), schemas);
  assert.notEqual((await other.v2Json()).hash, (await openApi.v2Json()).hash);
  const apps = [other, openApi].map((one) => one.v3Document('apis/apps/v1'));
  const [theirs, ours] = await Promise.all(apps);
  assert.equal(theirs?.hash, ours?.hash);
});

/** Messages of a field of a wire-format message. */
function fields(bytes: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const size = tag % 8 === 2 ? varint() : 0;
    if (tag % 8 === 0) varint();
    if (Math.floor(tag / 8) === wanted) found.push(bytes.subarray(at, at + size));
    at += size;
  }
  assert.equal(at, bytes.length);
  return found;
}
const only = (bytes: Buffer, path: number[]): Buffer =>
  path.reduce((message, field) => fields(message, field)[0] ?? Buffer.alloc(0), bytes);

test('the protobuf form carries what kubectl 1.20 looks for', async () => {
  const { bytes } = await openApi.v2Protobuf();
  assert.equal(only(bytes, [1]).toString(), '2.0');
  const paths = fields(only(bytes, [8]), 2);
  assert.equal(paths.length, Object.keys(parse((await openApi.v2Json()).bytes)['paths'] ?? {}).length);
  const path = paths.find(
    (pair) => only(pair, [1]).toString() === '/apis/apps/v1/namespaces/{namespace}/deployments/{name}',
  );
  assert.ok(path);
  const patch = only(path, [2, 8]);
  const kind = fields(patch, 13).find((pair) => only(pair, [1]).toString() === 'x-kubernetes-group-version-kind');
  assert.ok(kind);
  assert.deepEqual(JSON.parse(only(kind, [2, 2]).toString()), gvk);
  const names = fields(patch, 8).map((item) => only(item, [1, 2, 3, 4]).toString());
  assert.ok(names.includes('dryRun'));
  const types = fields(only(bytes, [9]), 1).map((pair) => only(pair, [1]).toString());
  assert.ok(types.includes('io.k8s.api.apps.v1.Deployment'));
});

test('the protobuf form is given to those who ask for it', () => {
  assert.equal(wantsGnostic(gnosticMediaType), true);
  assert.equal(wantsGnostic(`application/json,${gnosticMediaType}`), false);
  assert.equal(wantsGnostic('*/*'), false);
  assert.equal(wantsGnostic(undefined), false);
});

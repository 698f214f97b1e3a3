import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { RawClient, type RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';
import { startTestServer } from '../testing/test-server.js';
import { realObjects, realWorld } from './testing-manifests.js';
import { definitionOf, specSchema, version } from './testing.js';
import { testFolder } from '../testing/test-folder.js';

type Json = Record<string, unknown>;

const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const path = (kind: string, name = '', group = 'example.com/v1'): string =>
  `/apis/${group}/namespaces/default/${kind.toLowerCase()}s${name === '' ? '' : `/${name}`}`;
const object = (kind: string, name: string, spec: unknown, more: Json = {}): Json => ({
  apiVersion: 'example.com/v1',
  kind,
  metadata: { name },
  spec,
  ...more,
});

const part = ({ json }: RawAnswer, name: string): Json => (json?.[name] ?? {}) as Json;
const items = ({ json }: RawAnswer, name: string): Json[] => (json?.[name] ?? []) as Json[];

const world = serverWorld();
const { admin: client } = world;
let directory: string;

before(async () => {
  directory = testFolder('crd');
});
after(async () => {
  await rm(directory, { recursive: true });
});

const patch = (url: string, body: unknown, type = 'merge-patch+json', raw = client): Promise<RawAnswer> =>
  raw.send(url, { method: 'PATCH', body, headers: { 'content-type': `application/${type}` } });

/** Creates a definition and waits until it is served. */
async function define(definition: Json, raw = client): Promise<void> {
  const answer = await raw.send(definitionsPath, { body: definition });
  assert.equal(answer.code, 201, answer.text);
  const { name } = definition['metadata'] as { name: string };
  await eventually(async () => {
    const { text } = await raw.send(`${definitionsPath}/${name}`);
    assert.match(text, /"reason":"InitialNamesAccepted","status":"True","type":"Established"/);
  });
}

async function undefine(name: string): Promise<void> {
  await client.send(`${definitionsPath}/${name}.example.com`, { method: 'DELETE' });
  await eventually(async () => assert.equal((await client.send(`${definitionsPath}/${name}.example.com`)).code, 404));
}

function kubectl(...args: readonly string[]): Promise<string> {
  const all = ['--kubeconfig', world.server.kubeconfigPath, '--cache-dir', join(directory, 'cache'), ...args];
  return new Promise((resolve) => {
    execFile('kubectl', all, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}

describe('a custom resource', () => {
  it('is created, pruned, defaulted, checked, and keeps its status and generation apart', async () => {
    const schema = specSchema({ size: { type: 'integer', default: 1, maximum: 5 }, name: { type: 'string' } });
    await define(definitionOf('Box', [version('v1', { schema, more: { subresources: { status: {} } } })]));
    const made = await client.send(path('Box'), {
      body: object('Box', 'a', { name: 'x', zz: 1 }, { status: { a: 1 } }),
    });
    assert.equal(made.code, 201);
    assert.deepEqual(made.json?.['spec'], { name: 'x', size: 1 });
    assert.equal(made.json?.['status'], undefined);
    assert.match(String(made.headers['warning']), /unknown field \\"spec.zz\\"/);
    const strict = await client.send(`${path('Box')}?fieldValidation=Strict`, { body: object('Box', 'b', { zz: 1 }) });
    assert.equal(strict.code, 400);
    assert.match(strict.text, /strict decoding error: unknown field \\"spec.zz\\"/);
    const refused = await patch(path('Box', 'a'), { spec: { size: 9 } });
    assert.equal(refused.code, 422);
    assert.match(refused.text, /spec.size: Invalid value: 9: spec.size in body should be less than or equal to 5/);
    const status = await patch(`${path('Box', 'a')}/status`, { status: { ready: true }, spec: { size: 2 } });
    assert.deepEqual([status.json?.['spec'], status.json?.['status']], [{ name: 'x', size: 1 }, { ready: true }]);
    assert.equal(part(status, 'metadata')['generation'], 1);
    const changed = await patch(path('Box', 'a'), { spec: { size: 2 } });
    assert.equal(part(changed, 'metadata')['generation'], 2);
  });

  it('is put with its resourceVersion only, and never patched strategically', async () => {
    const unconditional = await client.send(path('Box', 'a'), {
      method: 'PUT',
      body: object('Box', 'a', { name: 'y' }),
    });
    assert.equal(unconditional.code, 422);
    assert.match(unconditional.text, /metadata.resourceVersion: Invalid value: 0: must be specified for an update/);
    assert.equal((await patch(path('Box', 'a'), {}, 'strategic-merge-patch+json')).code, 415);
    const protobuf = await client.send(path('Box'), {
      body: 'k8s',
      headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
    });
    assert.equal(protobuf.code, 415);
  });

  it('is applied field by field along the list types of its schema', async () => {
    const inner = { type: 'object', required: ['k'], properties: { k: { type: 'string' }, v: { type: 'integer' } } };
    const byKey = { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: inner };
    const set = { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } };
    await define(
      definitionOf('Tray', [version('v1', { schema: specSchema({ byKey, set, n: { type: 'integer' } } as never) })]),
    );
    const apply = (manager: string, spec: unknown): Promise<RawAnswer> =>
      patch(`${path('Tray', 'a')}?fieldManager=${manager}`, object('Tray', 'a', spec), 'apply-patch+yaml');
    assert.equal((await apply('one', { byKey: [{ k: 'a', v: 1 }], set: ['x'], n: 1 })).code, 201);
    const second = await apply('two', { byKey: [{ k: 'b', v: 2 }], set: ['y'] });
    assert.deepEqual(second.json?.['spec'], {
      byKey: [
        { k: 'a', v: 1 },
        { k: 'b', v: 2 },
      ],
      set: ['x', 'y'],
      n: 1,
    });
    const conflict = await apply('two', { n: 2 });
    assert.equal(conflict.code, 409);
    assert.match(conflict.text, /conflict with \\"one\\": .spec.n/);
    const less = await apply('one', { set: ['x'] });
    assert.deepEqual(less.json?.['spec'], { byKey: [{ k: 'b', v: 2 }], set: ['x', 'y'] });
  });

  it('is scaled, selected by its fields, shown in columns and as metadata', async () => {
    const more = {
      subresources: {
        scale: { specReplicasPath: '.spec.n', statusReplicasPath: '.status.n', labelSelectorPath: '.status.s' },
      },
      selectableFields: [{ jsonPath: '.spec.color' }],
      additionalPrinterColumns: [{ name: 'Color', type: 'string', jsonPath: '.spec.color' }],
    };
    const schema = specSchema({ n: { type: 'integer' }, color: { type: 'string' } });
    await define(definitionOf('Bag', [version('v1', { schema, more })]));
    for (const [name, color] of [
      ['a', 'red'],
      ['b', 'blue'],
    ]) {
      const body = object('Bag', name ?? '', { n: 1, color }, { status: { n: 1, s: 'x=y' } });
      assert.equal((await client.send(path('Bag'), { body })).code, 201);
    }
    const scaled = await patch(`${path('Bag', 'a')}/scale`, { spec: { replicas: 3 } });
    assert.deepEqual(scaled.json?.['spec'], { replicas: 3 });
    assert.deepEqual(scaled.json?.['status'], { replicas: 1, selector: 'x=y' });
    const red = await client.send(`${path('Bag')}?fieldSelector=spec.color%3Dred`);
    assert.deepEqual(
      items(red, 'items').map(({ spec }) => spec),
      [{ n: 3, color: 'red' }],
    );
    assert.equal((await client.send(`${path('Bag')}?fieldSelector=spec.n%3D1`)).code, 400);
    const table = await client.send(path('Bag'), {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    assert.deepEqual(
      items(table, 'rows').map(({ cells }) => cells),
      [
        ['a', 'red'],
        ['b', 'blue'],
      ],
    );
    const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
    const metadata = await client.send(path('Bag'), { headers: { accept } });
    assert.deepEqual(Object.keys(items(metadata, 'items')[0] ?? {}), ['kind', 'apiVersion', 'metadata']);
  });

  it('is shown in each served version, and written in each', async () => {
    const one = specSchema({ a: { type: 'string' }, old: { type: 'string' } });
    const two = specSchema({ a: { type: 'string' }, added: { type: 'string', default: 'd' }, old: { type: 'string' } });
    await define(
      definitionOf('Cup', [
        version('v1', { schema: one, isStorage: false, more: { deprecated: true } }),
        version('v2', { schema: two }),
        version('v3', { isStorage: false, isServed: false }),
      ]),
    );
    const made = await client.send(path('Cup'), { body: object('Cup', 'a', { a: 'x', old: 'y' }) });
    assert.equal(made.json?.['apiVersion'], 'example.com/v1');
    assert.deepEqual(made.json?.['spec'], { a: 'x', old: 'y' });
    assert.match(String(made.headers['warning']), /example.com\/v1 Cup is deprecated/);
    const shown = await client.send(path('Cup', 'a', 'example.com/v2'));
    assert.equal(shown.json?.['apiVersion'], 'example.com/v2');
    assert.deepEqual(shown.json?.['spec'], { a: 'x', old: 'y', added: 'd' });
    const changed = await patch(path('Cup', 'a', 'example.com/v2'), { spec: { a: 'z' } });
    assert.equal(changed.code, 200);
    assert.deepEqual((await client.send(path('Cup', 'a'))).json?.['spec'], { a: 'z', old: 'y' });
    assert.equal((await client.send(path('Cup', 'a', 'example.com/v3'))).code, 404);
    const list = await client.send(path('Cup'));
    assert.match(list.text, /^\{"kind":"CupList","apiVersion":"example.com\/v1".*"apiVersion":"example.com\/v1"/);
  });
});

describe('a definition', () => {
  it('is published in discovery and both OpenAPI documents, changed with it, and taken back', async () => {
    const hashes = async (): Promise<(string | undefined)[]> => [
      (await client.send('/openapi/v2')).headers.etag,
      (await client.send('/openapi/v3')).headers.etag,
      (
        await client.send('/apis', {
          headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' },
        })
      ).headers.etag,
    ];
    const first = await hashes();
    const names = { plural: 'jars', kind: 'Jar', shortNames: ['jr'], categories: ['all'] };
    await define(
      definitionOf(
        'Jar',
        [version('v1', { schema: specSchema({ lid: { type: 'string', description: 'what closes it' } }) })],
        { names },
      ),
    );
    const resources = await client.send('/apis/example.com/v1');
    assert.match(
      resources.text,
      /"name":"jars","singularName":"jar","namespaced":true,"kind":"Jar","verbs":\["create","delete","deletecollection","get","list","patch","update","watch"\],"shortNames":\["jr"\],"categories":\["all"\]/,
    );
    const v3 = await client.send('/openapi/v3/apis/example.com/v1');
    const schemas = part(v3, 'components')['schemas'] as Record<string, Json>;
    assert.ok(
      schemas['com.example.v1.Jar'] &&
        schemas['com.example.v1.JarList'] &&
        schemas['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'],
    );
    const v2 = await client.send('/openapi/v2');
    assert.ok(part(v2, 'definitions')['com.example.v1.Jar']);
    const second = await hashes();
    second.forEach((hash, index) => assert.notEqual(hash, first[index]));
    assert.match(await kubectl('explain', 'jar.spec.lid'), /what closes it/);
    assert.match(await kubectl('get', 'jr'), /No resources found/);
    await patch(
      `${definitionsPath}/jars.example.com`,
      [
        {
          op: 'replace',
          path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/lid/description',
          value: 'the top',
        },
      ],
      'json-patch+json',
    );
    await eventually(async () => assert.match((await client.send('/openapi/v2')).text, /the top/));
    await undefine('jars');
    assert.equal((await client.send(path('Jar'))).code, 404);
    assert.doesNotMatch((await client.send('/openapi/v2')).text, /com.example.v1.Jar/);
  });

  it('whose names another one holds is not established', async () => {
    const names = { plural: 'lids', kind: 'Lid', shortNames: ['ld'] };
    await define(definitionOf('Lid', [version('v1')], { names }));
    const rival = definitionOf('Led', [version('v1')], { names: { plural: 'leds', kind: 'Led', shortNames: ['ld'] } });
    assert.equal((await client.send(definitionsPath, { body: rival })).code, 201);
    await eventually(async () => {
      const { text } = await client.send(`${definitionsPath}/leds.example.com`);
      assert.match(
        text,
        /"message":"\\"ld\\" is already in use","reason":"ShortNamesConflict","status":"False","type":"NamesAccepted"/,
      );
      assert.match(text, /"reason":"NotAccepted","status":"False","type":"Established"/);
    });
    assert.equal((await client.send(path('Led'))).code, 404);
    await undefine('lids');
    await eventually(async () => assert.equal((await client.send(path('Led'))).code, 200));
    await undefine('leds');
  });

  it('never takes the place of a built-in kind', async () => {
    const definition = definitionOf('Ingress', [version('v1')], {
      group: 'networking.k8s.io',
      names: { plural: 'ingresses', kind: 'Ingress' },
    });
    definition['metadata'] = {
      name: 'ingresses.networking.k8s.io',
      annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' },
    };
    await define(definition);
    const body = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'a' }, spec: {} };
    const answer = await client.send('/apis/networking.k8s.io/v1/namespaces/default/ingresses', { body });
    assert.equal(answer.code, 422, 'checked by the rules of the built-in kind');
    await client.send(`${definitionsPath}/ingresses.networking.k8s.io`, { method: 'DELETE' });
    await eventually(async () => {
      assert.equal((await client.send(`${definitionsPath}/ingresses.networking.k8s.io`)).code, 404);
    });
    assert.equal((await client.send('/apis/networking.k8s.io/v1/ingresses')).code, 200);
  });

  it('goes only after its instances, and those with finalizers are waited for', async () => {
    await define(definitionOf('Pot', [version('v1')]));
    const body = object('Pot', 'a', {});
    (body['metadata'] as Json)['finalizers'] = ['example.com/wait'];
    await client.send(path('Pot'), { body });
    await client.send(path('Pot'), { body: object('Pot', 'b', {}) });
    const deleted = await client.send(`${definitionsPath}/pots.example.com`, { method: 'DELETE' });
    assert.match(deleted.text, /customresourcecleanup.apiextensions.k8s.io/);
    await eventually(async () => {
      assert.equal((await client.send(path('Pot', 'b'))).code, 404);
      assert.match(
        (await client.send(`${definitionsPath}/pots.example.com`)).text,
        /"reason":"InstanceDeletionInProgress","status":"True","type":"Terminating"/,
      );
    });
    const late = await client.send(path('Pot'), { body: object('Pot', 'c', {}) });
    assert.equal(late.code, 405);
    await patch(path('Pot', 'a'), { metadata: { finalizers: null } });
    await eventually(
      async () => assert.equal((await client.send(`${definitionsPath}/pots.example.com`)).code, 404),
      5_000,
    );
  });

  it('ends its watches when it goes, comes back clean, and leaves nothing behind over many turns', async () => {
    const { registry } = world.server.apiserver;
    const count = registry.definitions.length;
    for (let turn = 0; turn < 20; turn++) {
      await define(definitionOf('Mug', [version('v1')]));
      const list = await client.send(path('Mug'));
      assert.deepEqual(list.json?.['items'], []);
      const resourceVersion = part(list, 'metadata')['resourceVersion'] as string;
      const watch = client.send(`${path('Mug')}?watch=true&resourceVersion=${resourceVersion}`);
      assert.equal((await client.send(path('Mug'), { body: object('Mug', `m${turn}`, { turn }) })).code, 201);
      await undefine('mugs');
      const events = (await watch).text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { type: string }).type);
      assert.deepEqual(events, ['ADDED', 'DELETED']);
    }
    assert.equal(registry.definitions.length, count);
  });

  it('is served again after a restart, with what was stored, in the form of its schema of today', async () => {
    const storage = new MemoryStorage();
    const first = await startTestServer({ storage: kept(storage) });
    const raw = new RawClient(first, first.admin);
    await define(definitionOf('Can', [version('v1', { schema: specSchema({ a: { type: 'string' } }) })]), raw);
    await raw.send(path('Can'), { body: object('Can', 'x', { a: '1' }) });
    const schema = specSchema({ a: { type: 'string' }, b: { type: 'string', default: 'new' } });
    const change = [{ op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema', value: schema }];
    await patch(`${definitionsPath}/cans.example.com`, change, 'json-patch+json', raw);
    await eventually(async () =>
      assert.deepEqual((await raw.send(path('Can', 'x'))).json?.['spec'], { a: '1', b: 'new' }),
    );
    raw.close();
    await first.close();
    const second = await startTestServer({ storage });
    const again = new RawClient(second, second.admin);
    assert.deepEqual((await again.send(path('Can', 'x'))).json?.['spec'], { a: '1', b: 'new' });
    again.close();
    await second.close();
  });
});

/** The same store, which its server does not close. */
function kept(storage: MemoryStorage): MemoryStorage {
  return new Proxy(storage, {
    get: (target, name) => {
      if (name === 'close') return () => Promise.resolve();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe('kubectl', () => {
  it('applies definitions and objects of the shapes that are in use, and waits for them', async () => {
    const file = join(directory, 'all.yaml');
    await writeFile(file, realWorld);
    const applied = await kubectl('apply', '-f', file);
    assert.match(applied, /certificates.pki.example.org created/);
    assert.match(applied, /monitors.observe.example.org created/);
    assert.match(await kubectl('wait', '--for=condition=Established', '--timeout=5s', '-f', file), /condition met/);
    const objects = join(directory, 'objects.yaml');
    await writeFile(objects, realObjects);
    assert.match(await kubectl('apply', '-f', objects), /certificate.pki.example.org\/web created/);
    assert.match(await kubectl('apply', '-f', objects), /certificate.pki.example.org\/web unchanged/);
    assert.match(await kubectl('get', 'cert,smon'), /NAME +READY +SECRET +AGE\n.*web +web-tls/);
    const bad = await kubectl(
      'patch',
      'cert',
      'web',
      '--type=merge',
      '-p',
      '{"spec":{"duration":"x","dnsNames":["a","a"],"issuerRef":{"kind":"Other"}}}',
    );
    assert.match(bad, /spec.issuerRef.kind: Unsupported value: "Other": supported values: "Issuer", "ClusterIssuer"/);
    assert.match(bad, /spec.dnsNames\[1\]: Duplicate value: "a"/);
    const rule = await kubectl('patch', 'cert', 'web', '--type=merge', '-p', '{"spec":{"renewBefore":"3000h"}}');
    assert.match(rule, /spec: Invalid value: "object": renewBefore must be less than duration/);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { definitionOf, specSchema, version } from '../extension/testing.js';
import type { Schema } from '../extension/schema.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

type Json = Record<string, unknown>;

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const group = '/apis/example.com';

/** A group in the aggregated form of discovery. */
interface Discovered {
  readonly metadata: { readonly name?: string };
  readonly versions: readonly {
    readonly version: string;
    readonly resources: readonly { readonly resource: string; readonly responseKind: { readonly kind: string } }[];
  }[];
}

describe('definitions of custom resources', { concurrency: 8 }, () => {
  const { admin } = serverWorld();
  const define = async (kind: string, versions: readonly Json[], spec: Json = {}): Promise<string> => {
    const body = definitionOf(kind, versions, spec);
    const { code, text } = await admin.send(definitions, { body });
    assert.equal(code, 201, text);
    return `${definitions}/${(body['metadata'] as { name: string }).name}`;
  };
  const patch = async (path: string, body: unknown, type = 'merge-patch+json'): Promise<RawAnswer> => {
    const headers = { 'content-type': `application/${type}` };
    const answer = await admin.send(path, { method: 'PATCH', headers, body });
    assert.equal(answer.code, 200, answer.text);
    return answer;
  };
  const pathOf = (kind: string, name = 'v1'): string => `${group}/${name}/namespaces/default/${kind.toLowerCase()}s`;
  const served = async (kind: string, name = 'v1'): Promise<string> => {
    const path = pathOf(kind, name);
    await eventually(async () => assert.equal((await admin.send(path)).code, 200));
    return path;
  };
  const published = async (): Promise<Json> => (await admin.send('/openapi/v2')).json?.['definitions'] as Json;

  it('are listed by their labels, and deleted with them', async () => {
    for (const kind of ['Labelled', 'Marked', 'Other']) {
      const path = await define(kind, [version('v1')]);
      if (kind !== 'Other') await patch(path, { metadata: { labels: { listed: 'yes' } } });
    }
    const selected = `${definitions}?labelSelector=listed%3Dyes`;
    const namesOf = async (path: string): Promise<string[]> =>
      ((await admin.send(path)).json as unknown as { items: { metadata: { name: string } }[] }).items.map(
        (one) => one.metadata.name,
      );
    assert.deepEqual(await namesOf(selected), ['labelleds.example.com', 'markeds.example.com']);
    assert.equal((await admin.send(selected, { method: 'DELETE' })).code, 200);
    await eventually(async () => assert.deepEqual(await namesOf(selected), []));
    assert.ok((await namesOf(definitions)).includes('others.example.com'));
  });

  it('give their defaults to requests, and to what is stored already', async () => {
    const schema = (properties: Record<string, Schema>): Schema => specSchema(properties);
    const path = await define('Defaulted', [
      version('v1', { schema: schema({ a: { type: 'string' }, b: { type: 'string' } }) }),
    ]);
    const objects = await served('Defaulted');
    const create = (name: string): Promise<RawAnswer> =>
      admin.send(objects, { body: { apiVersion: 'example.com/v1', kind: 'Defaulted', metadata: { name }, spec: {} } });
    assert.equal((await create('first')).code, 201);
    const specOf = async (name: string): Promise<Json> =>
      (await admin.send(`${objects}/${name}`)).json?.['spec'] as Json;
    const withDefaults = (a?: string, b?: string): Promise<RawAnswer> =>
      patch(
        path,
        [
          {
            op: 'replace',
            path: '/spec/versions/0/schema/openAPIV3Schema',
            value: schema({
              a: { type: 'string', ...(a ? { default: a } : {}) },
              b: { type: 'string', ...(b ? { default: b } : {}) },
            }),
          },
        ],
        'json-patch+json',
      );
    await withDefaults('A');
    await eventually(async () => assert.deepEqual(await specOf('first'), { a: 'A' }));
    const second = await create('second');
    assert.deepEqual(second.json?.['spec'], { a: 'A' });
    await withDefaults(undefined, 'B');
    // What was given to a request is stored; what was only read is not.
    await eventually(async () => assert.deepEqual(await specOf('second'), { a: 'A', b: 'B' }));
    assert.deepEqual(await specOf('first'), { b: 'B' });
  });

  it('publish each served version, and take back one that is served no more', async () => {
    const path = await define('Published', [version('v2'), version('v3', { isStorage: false })]);
    await eventually(async () => {
      const names = Object.keys(await published());
      assert.ok(names.includes('com.example.v2.Published') && names.includes('com.example.v3.Published'));
    });
    await patch(path, [{ op: 'replace', path: '/spec/versions/1/served', value: false }], 'json-patch+json');
    await eventually(async () => {
      const names = Object.keys(await published());
      assert.ok(names.includes('com.example.v2.Published') && !names.includes('com.example.v3.Published'));
    });
  });

  it('publish a version under its new name', async () => {
    const path = await define('Renamed', [version('v2'), version('v3', { isStorage: false })]);
    await eventually(async () => assert.ok('com.example.v3.Renamed' in (await published())));
    await patch(path, [{ op: 'replace', path: '/spec/versions/1/name', value: 'v4' }], 'json-patch+json');
    await eventually(async () => {
      const names = Object.keys(await published());
      assert.ok(names.includes('com.example.v4.Renamed') && !names.includes('com.example.v3.Renamed'));
    });
  });

  it('publish kinds of one version, versions of one group, and groups side by side', async () => {
    await define('Left', [version('v1')]);
    await define('Right', [version('v1')]);
    await define('Below', [version('v5')]);
    const other = definitionOf('Apart', [version('v1')], { group: 'other.example.org' });
    await admin.send(definitions, { body: { ...other, metadata: { name: 'aparts.other.example.org' } } });
    const wanted = [
      'com.example.v1.Left',
      'com.example.v1.Right',
      'com.example.v5.Below',
      'org.example.other.v1.Apart',
    ];
    await eventually(async () => {
      const names = Object.keys(await published());
      for (const name of wanted) assert.ok(names.includes(name), name);
    });
  });

  it('are seen by a watch: made, changed, deleted', async () => {
    const { metadata } = (await admin.send(`${definitions}?limit=1`)).json as { metadata: { resourceVersion: string } };
    const path = await define('Watched', [version('v1')]);
    await patch(path, { metadata: { annotations: { seen: 'yes' } } });
    await admin.send(path, { method: 'DELETE' });
    await eventually(async () => assert.equal((await admin.send(path)).code, 404));
    const query = `fieldSelector=metadata.name%3Dwatcheds.example.com&watch=true&timeoutSeconds=1`;
    const { text } = await admin.send(`${definitions}?${query}&resourceVersion=${metadata.resourceVersion}`);
    const types = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    assert.equal(types[0], 'ADDED');
    assert.ok(types.includes('MODIFIED'));
    assert.equal(types.at(-1), 'DELETED');
  });

  it('let custom resources be listed and watched by the fields that they select', async () => {
    const schema = specSchema({ color: { type: 'string' }, host: { type: 'string' } });
    const selectableFields = [{ jsonPath: '.spec.color' }, { jsonPath: '.spec.host' }];
    await define('Selected', [
      version('v1', { schema, more: { selectableFields } }),
      version('v2', { schema, isStorage: false, more: { selectableFields: [{ jsonPath: '.spec.host' }] } }),
    ]);
    const objects = await served('Selected');
    for (const [name, color] of [
      ['a', 'blue'],
      ['b', 'red'],
      ['c', 'blue'],
    ] as const) {
      const body = { apiVersion: 'example.com/v1', kind: 'Selected', metadata: { name }, spec: { color, host: 'h' } };
      assert.equal((await admin.send(objects, { body })).code, 201);
    }
    const query = 'fieldSelector=spec.color%3Dblue,spec.host%3Dh';
    const { items } = (await admin.send(`${objects}?${query}`)).json as unknown as {
      items: { metadata: { name: string } }[];
    };
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['a', 'c'],
    );
    const { text } = await admin.send(`${objects}?${query}&watch=true&timeoutSeconds=1`);
    assert.equal(text.trim().split('\n').length, 2);
    assert.equal((await admin.send(`${pathOf('Selected', 'v2')}?fieldSelector=spec.color%3Dblue`)).code, 400);
  });

  it('are found in every document of discovery', async () => {
    const { groups } = (await admin.send('/apis')).json as unknown as { groups: { name: string }[] };
    assert.ok(groups.some(({ name }) => name === 'apiextensions.k8s.io'));
    const of = (await admin.send('/apis/apiextensions.k8s.io')).json as unknown as { versions: { version: string }[] };
    assert.ok(of.versions.some((one) => one.version === 'v1'));
    const { resources } = (await admin.send('/apis/apiextensions.k8s.io/v1')).json as unknown as {
      resources: { name: string }[];
    };
    assert.ok(resources.some(({ name }) => name === 'customresourcedefinitions'));
  });

  it('bring their kind into aggregated discovery, beside all that is built in', async () => {
    await define('Aggregated', [version('v1')]);
    await served('Aggregated');
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    /** `VERSION/RESOURCE KIND` of all resources; the core group has no name. */
    const aggregated = async (path: string): Promise<string[]> => {
      const { json, headers } = await admin.send(path, { headers: { accept } });
      assert.match(String(headers['content-type']), /APIGroupDiscoveryList/);
      return (json as unknown as { items: Discovered[] }).items.flatMap(({ metadata: { name = '' }, versions }) =>
        versions.flatMap(({ version, resources }) =>
          resources.map((one) => `${name}/${version}/${one.resource} ${one.responseKind.kind}`),
        ),
      );
    };
    const oneByOne = async (group: string, version: string): Promise<string[]> => {
      const { json } = await admin.send(group === '' ? `/api/${version}` : `/apis/${group}/${version}`);
      const { resources } = json as unknown as { resources: { name: string; kind: string }[] };
      return resources
        .filter(({ name }) => !name.includes('/'))
        .map(({ name, kind }) => `${group}/${version}/${name} ${kind}`);
    };
    assert.deepEqual((await aggregated('/api')).sort(), (await oneByOne('', 'v1')).sort());
    const { groups } = (await admin.send('/apis')).json as unknown as {
      groups: { name: string; versions: { version: string }[] }[];
    };
    // Other tests define kinds of groups of examples meanwhile.
    const isBuiltIn = (name: string): boolean => !/^[^/]*example\./.test(name);
    const builtIn = await Promise.all(
      groups
        .filter(({ name }) => isBuiltIn(name))
        .flatMap(({ name, versions }) => versions.map(({ version: served }) => oneByOne(name, served))),
    );
    const found = await aggregated('/apis');
    assert.deepEqual(found.filter(isBuiltIn).sort(), builtIn.flat().sort());
    assert.ok(found.includes('apps/v1/deployments Deployment') && found.length > 80);
    assert.ok(found.includes('example.com/v1/aggregateds Aggregated'));
  });
});

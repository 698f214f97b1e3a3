import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';
import type { Schema } from './schema.js';
import { definitionOf, version } from './testing.js';

type Json = Record<string, unknown>;

// What its API server was seen to answer to the same requests.
const { admin: client } = serverWorld();
const objects = '/apis/example.com/v1/namespaces/default/widgets';
const widget = (name: string, spec: unknown, more: Json = {}): Json => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name },
  ...(spec === undefined ? {} : { spec }),
  ...more,
});
const patch = (type: string, body: unknown, query = '', name = 'one'): Promise<RawAnswer> =>
  client.send(`${objects}/${name}${query}`, {
    method: 'PATCH',
    body,
    headers: { 'content-type': `application/${type}` },
  });
const post = (body: unknown, query = '?dryRun=All'): Promise<RawAnswer> => client.send(`${objects}${query}`, { body });

const part = ({ json }: RawAnswer, name: string): Json => (json?.[name] ?? {}) as Json;

function refuses({ code, text, json }: RawAnswer, expectedCode: number, message: RegExp | string): void {
  assert.equal(code, expectedCode, text);
  const given = String(json?.['message']);
  if (typeof message === 'string') assert.equal(given, message);
  else assert.match(given, message);
}

const schema: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer' },
        replicas: { type: 'integer' },
        color: { type: 'string', default: 'red' },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
        },
        template: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
    },
    status: { type: 'object', properties: { replicas: { type: 'integer' }, phase: { type: 'string' } } },
  },
};

describe('as Kubernetes 1.36 answers', () => {
  before(async () => {
    const subresources = {
      status: {},
      scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
    };
    const additionalPrinterColumns = [
      { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
      { name: 'Tags', type: 'string', jsonPath: '.spec.tags[*]' },
    ];
    const definition = definitionOf('Widget', [
      version('v1', { schema, more: { subresources, additionalPrinterColumns } }),
    ]);
    await client.send('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body: definition });
    await eventually(async () => assert.equal((await client.send(objects)).code, 200));
    const made = await post(widget('one', { size: 1 }), '');
    assert.equal(made.code, 201, made.text);
  });

  describe('the kind of a custom resource', () => {
    it('must be said in a body', async () => {
      const named = { metadata: { name: 'a' }, spec: { size: 1 } };
      refuses(
        await post({ ...named, apiVersion: 'example.com/v1' }),
        400,
        /must be of type Widget\): Object 'Kind' is missing in/,
      );
      refuses(
        await post({ ...named, kind: 'Widget' }),
        400,
        'the API version in the data () does not match the expected API version (example.com/v1)',
      );
      refuses(
        await post({ ...named, apiVersion: 'a/b/c', kind: 'Widget' }),
        400,
        /unexpected GroupVersion string: a\/b\/c/,
      );
      refuses(
        await post({ ...named, apiVersion: 'example.com/v1', kind: 'Gadget' }),
        422,
        'Gadget.example.com "a" is invalid: kind: Invalid value: "Gadget": must be Widget',
      );
    });

    it('is never changed by a patch or an applied configuration', async () => {
      const type = 'merge-patch+json';
      refuses(
        await patch(type, { kind: 'Gadget' }),
        422,
        /^Gadget.example.com "one" is invalid: kind: Invalid value: "Gadget"/,
      );
      refuses(
        await patch(type, { apiVersion: 'v1' }),
        422,
        /^Widget "one" is invalid: apiVersion: Invalid value: "v1"/,
      );
      refuses(
        await patch('json-patch+json', [{ op: 'replace', path: '', value: { a: 1 } }]),
        422,
        /Object 'Kind' is missing/,
      );
      const applied = { ...widget('one', { size: 1 }), kind: 'Gadget' };
      refuses(
        await patch('apply-patch+yaml', applied, '?fieldManager=a&force=true'),
        400,
        'invalid object type: example.com/v1, Kind=Gadget',
      );
    });

    it('is kept by a patch of a built-in kind', async () => {
      const maps = '/api/v1/namespaces/default/configmaps';
      await client.send(maps, { body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' } } });
      const headers = { 'content-type': 'application/strategic-merge-patch+json' };
      const { json } = await client.send(`${maps}/kept`, { method: 'PATCH', body: { kind: 'Secret' }, headers });
      assert.equal(json?.['kind'], 'ConfigMap');
    });
  });

  describe('an update or patch', () => {
    it('names the object of the path', async () => {
      const type = 'merge-patch+json';
      refuses(
        await patch(type, { metadata: { name: 'x' } }),
        400,
        'the name of the object (x) does not match the name on the URL (one)',
      );
      refuses(
        await patch(type, { metadata: { namespace: 'x' } }),
        400,
        'the namespace of the provided object does not match the namespace sent on the request',
      );
      const nameless = 'the name of the object (one based on URL) was undeterminable: name must be provided';
      refuses(await patch(type, { metadata: null }), 400, nameless);
      const body = { ...widget('one', { size: 1 }), metadata: {} };
      refuses(await client.send(`${objects}/one`, { method: 'PUT', body }), 400, nameless);
    });

    it('is a patch', async () => {
      const head = 'error decoding patch: json: cannot unmarshal';
      refuses(await patch('merge-patch+json', []), 400, `${head} array into Go value of type map[string]interface {}`);
      refuses(await patch('merge-patch+json', 'null'), 400, 'Invalid JSON Patch');
      refuses(await patch('json-patch+json', {}), 400, `${head} object into Go value of type []handlers.jsonPatchOp`);
      const operation = { op: 'add', path: '/spec/size', value: 1, odd: 1 };
      const strict = await patch('json-patch+json', [operation], '?fieldValidation=Strict');
      refuses(strict, 422, /strict decoding error: json patch unknown field "\[0\]\.odd"$/);
    });

    it('says which state it takes the place of, and cannot set the times of the server', async () => {
      const update = (metadata: Json): Promise<RawAnswer> =>
        client.send(`${objects}/one?dryRun=All`, {
          method: 'PUT',
          body: { ...widget('one', { size: 1 }), metadata: { name: 'one', ...metadata } },
        });
      refuses(
        await update({}),
        422,
        'widgets.example.com "one" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
      );
      const { resourceVersion, creationTimestamp } = part(await client.send(`${objects}/one`), 'metadata');
      const early = '2001-01-01T00:00:00Z';
      const made = await update({ resourceVersion, creationTimestamp: early });
      assert.equal(part(made, 'metadata')['creationTimestamp'], creationTimestamp);
      refuses(
        await update({ resourceVersion, deletionTimestamp: early }),
        422,
        /metadata.deletionTimestamp: .*field is immutable/,
      );
    });

    it('warns of owners that stand twice, and keeps one of them', async () => {
      const owner = { apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'u' };
      const made = await post({
        ...widget('a', { size: 1 }),
        metadata: { name: 'a', ownerReferences: [owner, owner] },
      });
      assert.deepEqual(part(made, 'metadata')['ownerReferences'], [owner]);
      assert.match(String(made.headers['warning']), /contains duplicate entries; .* duplicate UID\(s\) observed: u/);
    });
  });

  describe('the status of a custom resource', () => {
    it('comes without metadata, and is checked alone', async () => {
      const { resourceVersion } = part(await client.send(`${objects}/one`), 'metadata');
      const update = (status: Json): Promise<RawAnswer> =>
        client.send(`${objects}/one/status?dryRun=All`, {
          method: 'PUT',
          body: {
            ...widget('one', { size: 'x' }),
            metadata: { name: 'one', resourceVersion, labels: { a: 'b' } },
            status,
          },
        });
      const good = await update({ phase: 'Ready' });
      assert.equal(good.code, 200, good.text);
      assert.equal(part(good, 'metadata')['labels'], undefined);
      const bad = await update({ replicas: 'x' });
      refuses(bad, 422, /status.replicas: Invalid value: "string": replicas in body must be of type integer/);
      refuses(
        bad,
        422,
        /\.status\.replicas: Invalid value: 0: \.status\.replicas accessor error: x is of the type string, expected int64/,
      );
    });

    it('and the scale have their own errors', async () => {
      refuses(
        await client.send(`${objects}/one/scale`),
        500,
        /the spec replicas field "\.spec\.replicas" does not exist$/,
      );
      refuses(await client.send(`${objects}/one/odd`), 404, 'widgets.example.com "one" not found');
      refuses(
        await client.send(`${objects}/one/status`, { method: 'DELETE' }),
        405,
        'delete is not supported on resources of kind "widgets.example.com"',
      );
      const negative = await post(widget('a', { size: 1, replicas: -1 }));
      refuses(negative, 422, /: \.spec\.replicas: Invalid value: -1: should be a non-negative integer$/);
    });
  });

  describe('a value of a custom resource', () => {
    it('that is null and may not be is no value', async () => {
      const { json } = await post(widget('a', { size: 1, replicas: null, color: null }));
      assert.deepEqual(json?.['spec'], { size: 1, color: 'red' });
      refuses(await post(widget('a', { size: null })), 422, /spec.size: Required value$/);
    });

    it('that is an object inside says what it is, and its metadata is checked', async () => {
      const inside = (template: unknown): Promise<RawAnswer> => post(widget('a', { size: 1, template }));
      refuses(
        await inside({}),
        422,
        /\[spec.template.apiVersion: Required value, spec.template.kind: Required value\]$/,
      );
      refuses(
        await inside({ apiVersion: 1, kind: 'A' }),
        400,
        /: spec.template.apiVersion: Invalid value: 1: must be a string$/,
      );
      refuses(
        await inside({ apiVersion: 'v1', kind: 'A', metadata: 3 }),
        400,
        /: spec.template.metadata: Invalid value: 3: json: cannot unmarshal number into Go value of type v1.ObjectMeta$/,
      );
      const named = await inside({ apiVersion: 'v1', kind: 'A', metadata: { name: 'UPPER' } });
      assert.equal(named.code, 201, named.text);
    });

    it('is owned as deep as it goes where no schema says what it is', async () => {
      const made = await post(widget('a', { size: 1, free: { x: { y: 1 } } }));
      const [entry] = part(made, 'metadata')['managedFields'] as { fieldsV1: Record<string, Json> }[];
      assert.ok(entry);
      assert.deepEqual(entry.fieldsV1['f:spec']?.['f:free'], { '.': {}, 'f:x': { '.': {}, 'f:y': {} } });
    });

    it('is told of in the order of its name when it is not known', async () => {
      const answer = await post(widget('a', { size: 1, foo: 1, bar: 1 }), '?dryRun=All&fieldValidation=Strict');
      refuses(answer, 400, /strict decoding error: unknown field "spec\.bar", unknown field "spec\.foo"$/);
    });

    it('of a finalizer without a domain brings a warning', async () => {
      const { headers } = await post({ ...widget('a', { size: 1 }), metadata: { name: 'a', finalizers: ['x'] } });
      assert.match(
        String(headers['warning']),
        /prefer a domain-qualified finalizer name to avoid accidental conflicts/,
      );
    });
  });

  describe('the query of a write', () => {
    it('is checked as a whole', async () => {
      refuses(
        await post(widget('a', { size: 1 }), '?dryRun='),
        422,
        /dryRun: Unsupported value: \[""\]: supported values: "All"$/,
      );
      refuses(
        await post(widget('a', { size: 1 }), '?fieldValidation=Odd'),
        422,
        /fieldValidation: Unsupported value: "Odd": supported values: "", "Ignore", "Strict", "Warn"$/,
      );
    });
  });

  it('cells of a table are null where there is nothing, and show the first of several values', async () => {
    const made = await client.send(`${objects}?dryRun=All`, {
      body: widget('a', { size: 1, tags: ['x', 'y'] }),
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    const [row] = (made.json ?? {})['rows'] as { cells: unknown[] }[];
    assert.deepEqual(row?.cells, ['a', null, 'x']);
  });
});

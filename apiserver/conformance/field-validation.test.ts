import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { definitionOf, specSchema, version } from '../extension/testing.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const strict = 'fieldValidation=Strict';

describe('field validation', () => {
  const { admin } = serverWorld();
  before(async () => {
    const known = specSchema({ a: { type: 'string' }, n: { type: 'integer' } });
    const embedded = {
      type: 'object',
      properties: {
        template: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
    } as const;
    await define('Known', version('v1', { schema: known }));
    await define('Open', version('v1'));
    await define('Embedding', version('v1', { schema: embedded }));
  });

  async function define(kind: string, served: Record<string, unknown>): Promise<void> {
    const { code, text } = await admin.send(definitions, { body: definitionOf(kind, [served]) });
    assert.equal(code, 201, text);
    await eventually(async () => assert.equal((await admin.send(pathOf(kind))).code, 200));
  }
  const pathOf = (kind: string): string => `/apis/example.com/v1/namespaces/default/${kind.toLowerCase()}s`;
  const text = (kind: string, name: string, rest: string): string =>
    `{"apiVersion":"example.com/v1","kind":"${kind}","metadata":{"name":"${name}"}${rest}}`;
  const create = (kind: string, name: string, rest: string): Promise<RawAnswer> =>
    admin.send(`${pathOf(kind)}?${strict}`, { body: text(kind, name, rest) });
  const apply = (kind: string, name: string, rest: string): Promise<RawAnswer> =>
    admin.send(`${pathOf(kind)}/${name}?fieldManager=test&${strict}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: text(kind, name, rest),
    });
  const message = ({ json }: RawAnswer): string => String(json?.['message']);

  it('a custom resource without a schema takes any field', async () => {
    const rest = ',"anything":{"x":[1]},"spec":{"y":1}';
    const created = await create('Open', 'created', rest);
    assert.equal(created.code, 201, created.text);
    assert.deepEqual(created.json?.['anything'], { x: [1] });
    const applied = await apply('Open', 'applied', rest);
    assert.equal(applied.code, 201, applied.text);
    assert.deepEqual(applied.json?.['anything'], { x: [1] });
  });

  it('a custom resource that fits its schema is created and applied', async () => {
    assert.equal((await create('Known', 'created', ',"spec":{"a":"x","n":1}')).code, 201);
    assert.equal((await apply('Known', 'applied', ',"spec":{"a":"x","n":1}')).code, 201);
    assert.equal((await apply('Known', 'created', ',"spec":{"a":"z"}')).code, 409);
  });

  it('a custom resource with a field that its schema lacks is refused', async () => {
    const created = await create('Known', 'extra', ',"spec":{"a":"x","b":1},"c":2');
    assert.equal(created.code, 400, created.text);
    assert.match(message(created), /strict decoding error: .*unknown field "spec\.b"/);
    const applied = await apply('Known', 'extra', ',"spec":{"b":1}');
    assert.equal(applied.code, 400, applied.text);
    assert.match(message(applied), /\.spec\.b: field not declared in schema/);
  });

  it('a custom resource that repeats a field is refused, whatever its schema keeps', async () => {
    for (const kind of ['Open', 'Known']) {
      const refused = await create(kind, 'twice', ',"spec":{"a":"x","a":"y"}');
      assert.equal(refused.code, 400, refused.text);
      assert.match(message(refused), /strict decoding error: .*duplicate field "spec\.a"/);
    }
  });

  it('unknown and repeated fields of a built-in kind are refused', async () => {
    const body =
      '{"metadata":{"name":"d"},"spec":{"replicas":1,"replicas":2,"unknownSpec":1,"selector":{"matchLabels":{"a":"b"}},' +
      '"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i","imagee":"j"}]}}}}';
    const refused = await admin.send(`/apis/apps/v1/namespaces/default/deployments?${strict}`, { body });
    assert.equal(refused.code, 400);
    for (const part of [
      'unknown field "spec.template.spec.containers[0].imagee"',
      'unknown field "spec.unknownSpec"',
      'duplicate field "spec.replicas"',
    ])
      assert.ok(message(refused).includes(part), message(refused));
  });

  it('unknown fields of metadata are refused, of a built-in kind', async () => {
    const body = { metadata: { name: 'm', unknownMeta: 'x' } };
    const refused = await admin.send(`/api/v1/namespaces/default/configmaps?${strict}`, { body });
    assert.equal(refused.code, 400);
    assert.match(message(refused), /unknown field "metadata\.unknownMeta"/);
  });

  it('unknown fields of metadata are refused, of a custom resource and of an object inside it', async () => {
    const root = text('Embedding', 'root', '').replace('"name":', '"unknownMeta":"x","name":');
    const refused = await admin.send(`${pathOf('Embedding')}?${strict}`, { body: root });
    assert.equal(refused.code, 400, refused.text);
    assert.match(message(refused), /unknown field "metadata\.unknownMeta"/);
    const applied = await apply(
      'Embedding',
      'wrong',
      ',"template":{"apiVersion":"v1","kind":"Pod","metadata":{"labels":1}}',
    );
    assert.equal(applied.code, 400, applied.text);
    const inner = ',"template":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","unknownSub":"x"}}';
    const embedded = await create('Embedding', 'inner', inner);
    assert.equal(embedded.code, 400, embedded.text);
    assert.match(message(embedded), /unknown field "template\.metadata\.unknownSub"/);
  });
});

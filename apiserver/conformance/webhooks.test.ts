import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { patching, webhookWorld } from '../admission/webhook/testing.js';
import { definitionOf, version } from '../extension/testing.js';
import type { RawAnswer } from '../testing/raw-client.js';

type Json = Record<string, unknown>;
type Kind = 'mutating' | 'validating';

const group = '/apis/admissionregistration.k8s.io/v1';
const core = '/api/v1/namespaces/default';
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const configMaps = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] };
const widgets = { operations: ['*'], apiGroups: ['example.com'], apiVersions: ['*'], resources: ['widgets'] };

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
  'sec-websocket-protocol': 'v5.channel.k8s.io',
};

describe('configurations of webhooks', () => {
  const world = webhookWorld();
  let count = 0;

  const collection = (kind: Kind): string => `${group}/${kind}webhookconfigurations`;
  const configure = async (kind: Kind, name: string, rules: object[], change: object = {}): Promise<RawAnswer> => {
    const webhook = {
      name: 'hook.example.com',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      clientConfig: { url: `${world.hook.url}/${name}`, caBundle: world.hook.caBundle },
      rules,
      ...change,
    };
    const answer = await world.admin.send(collection(kind), {
      body: { metadata: { name, labels: { set: kind } }, webhooks: [webhook] },
    });
    if (answer.code === 201) world.made.push(`${collection(kind)}/${name}`);
    return answer;
  };
  const make = (data: Json = {}): Promise<RawAnswer> =>
    world.admin.send(`${core}/configmaps`, { body: { metadata: { name: `map-${count++}` }, data } });
  const patch = (path: string, body: unknown, type = 'merge-patch+json'): Promise<RawAnswer> =>
    world.admin.send(path, { method: 'PATCH', headers: { 'content-type': `application/${type}` }, body });
  const deny = (): void => {
    world.hook.answer = () => ({ allowed: false, status: { message: 'no' } });
  };
  const add = (path: string, value: unknown): void => {
    world.hook.answer = () => patching([{ op: 'add', path, value }]);
  };
  const define = async (kind: string, versions: readonly Json[]): Promise<string> => {
    const { code, text } = await world.admin.send(definitions, { body: definitionOf(kind, versions) });
    assert.equal(code, 201, text);
    const path = `/apis/example.com/v1/namespaces/default/${kind.toLowerCase()}s`;
    await eventually(async () => assert.equal((await world.admin.send(path)).code, 200));
    return path;
  };

  it('are listed by a label and deleted with it, and change nothing afterwards', async () => {
    add('/data/mutated', 'yes');
    for (let i = 0; i < 10; i++)
      await configure('mutating', `listed-${i}`, [configMaps], { name: `l${i}.example.com` });
    const selected = `${collection('mutating')}?labelSelector=set%3Dmutating`;
    assert.equal(((await world.admin.send(selected)).json as unknown as { items: object[] }).items.length, 10);
    assert.deepEqual((await make({ a: 'b' })).json?.['data'], { a: 'b', mutated: 'yes' });
    await world.admin.send(selected, { method: 'DELETE' });
    assert.deepEqual((await world.admin.send(selected)).json?.['items'], []);
    assert.deepEqual((await make({ a: 'b' })).json?.['data'], { a: 'b' });
  });

  it('that refuse are listed by a label and deleted with it, and refuse nothing afterwards', async () => {
    deny();
    for (let i = 0; i < 10; i++)
      await configure('validating', `listed-${i}`, [configMaps], { name: `l${i}.example.com` });
    const selected = `${collection('validating')}?labelSelector=set%3Dvalidating`;
    assert.equal(((await world.admin.send(selected)).json as unknown as { items: object[] }).items.length, 10);
    assert.equal((await make()).code, 400);
    await world.admin.send(selected, { method: 'DELETE' });
    assert.deepEqual((await world.admin.send(selected)).json?.['items'], []);
    assert.equal((await make()).code, 201);
  });

  for (const kind of ['mutating', 'validating'] as const) {
    it(`that are ${kind} follow an update and a patch of their rules`, async () => {
      if (kind === 'mutating') add('/data/mutated', 'yes');
      else deny();
      const acts = async (): Promise<boolean> => {
        const { code, json } = await make({ a: 'b' });
        return kind === 'validating' ? code === 400 : (json as unknown as { data: Json }).data['mutated'] === 'yes';
      };
      await configure(kind, 'changed', [configMaps]);
      const path = `${collection(kind)}/changed`;
      assert.equal(await acts(), true);
      const { json } = await world.admin.send(path);
      const webhooks = (json as unknown as { webhooks: Json[] }).webhooks.map((one) => ({
        ...one,
        rules: [{ ...configMaps, operations: ['UPDATE'] }],
      }));
      assert.equal((await world.admin.send(path, { method: 'PUT', body: { ...json, webhooks } })).code, 200);
      assert.equal(await acts(), false);
      const operations = [{ op: 'replace', path: '/webhooks/0/rules/0/operations', value: ['CREATE'] }];
      assert.equal((await patch(path, operations, 'json-patch+json')).code, 200);
      assert.equal(await acts(), true);
    });

    it(`that are ${kind} are refused with a match condition that does not compile`, async () => {
      const refused = await configure(kind, 'wrong', [configMaps], {
        matchConditions: [{ name: 'bad', expression: 'oh no' }],
      });
      assert.equal(refused.code, 422);
      assert.match(String(refused.json?.['message']), /compilation failed/);
    });
  }

  it('that refuse pods and ConfigMaps do so as they are made, updated and patched, but in namespaces that are left out', async () => {
    world.hook.answer = ({ object }) => {
      const { labels = {} } = (object as { metadata: { labels?: Json } }).metadata;
      return labels['hang'] ? undefined : { allowed: labels['bad'] === undefined, status: { message: 'no' } };
    };
    const excluded = { matchExpressions: [{ key: 'exempt', operator: 'DoesNotExist' }] };
    const rule = { ...configMaps, operations: ['CREATE', 'UPDATE'], resources: ['configmaps', 'pods'] };
    await configure('validating', 'refusing', [rule], { timeoutSeconds: 1, namespaceSelector: excluded });
    const isRefused = ({ code, text }: RawAnswer): void => {
      assert.equal(code, 400, text);
      assert.match(text, /admission webhook \\"hook.example.com\\" denied the request: no/);
    };
    const bad = { labels: { bad: 'yes' } };
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    for (const [resource, rest] of [
      ['pods', { spec }],
      ['configmaps', { data: { a: 'b' } }],
    ] as const) {
      const path = `${core}/${resource}`;
      isRefused(await world.admin.send(path, { body: { metadata: { name: 'refused', ...bad }, ...rest } }));
      assert.equal((await world.admin.send(`${path}/refused`)).code, 404);
      const good = await world.admin.send(path, { body: { metadata: { name: 'good' }, ...rest } });
      assert.equal(good.code, 201, good.text);
      const body = { ...good.json, metadata: { ...(good.json?.['metadata'] as Json), ...bad } };
      isRefused(await world.admin.send(`${path}/good`, { method: 'PUT', body }));
      isRefused(await patch(`${path}/good`, { metadata: bad }));
    }
    const hangs = { metadata: { name: 'hangs', labels: { hang: 'yes' } }, spec };
    assert.match((await world.admin.send(`${core}/pods`, { body: hangs })).text, /context deadline exceeded/);
    assert.equal((await world.admin.send(`${core}/pods/hangs`)).code, 404);
    await world.admin.send('/api/v1/namespaces', { body: { metadata: { name: 'exempt', labels: { exempt: 'yes' } } } });
    const elsewhere = { body: { metadata: { name: 'refused', ...bad } } };
    assert.equal((await world.admin.send('/api/v1/namespaces/exempt/configmaps', elsewhere)).code, 201);
  });

  it('that are two of one configuration see what the first of them has changed', async () => {
    world.hook.answer = ({ object }, path) => {
      const step = path.includes('one') ? 1 : 2;
      const isDue = ((object as { data?: Json }).data ?? {})[`stage-${step - 1}`] !== undefined;
      return isDue ? patching([{ op: 'add', path: `/data/stage-${step}`, value: 'yes' }]) : { allowed: true };
    };
    const webhook = (name: string): object => ({
      name: `${name}.example.com`,
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      clientConfig: { url: `${world.hook.url}/${name}`, caBundle: world.hook.caBundle },
      rules: [configMaps],
    });
    const body = { metadata: { name: 'staged' }, webhooks: [webhook('one'), webhook('two')] };
    assert.equal((await world.admin.send(collection('mutating'), { body })).code, 201);
    world.made.push(`${collection('mutating')}/staged`);
    const { json } = await make({ 'stage-0': 'yes' });
    assert.deepEqual(json?.['data'], { 'stage-0': 'yes', 'stage-1': 'yes', 'stage-2': 'yes' });
    assert.deepEqual((await make({ other: 'yes' })).json?.['data'], { other: 'yes' });
  });

  it('change everything but what a match condition leaves out', async () => {
    add('/data/mutated', 'yes');
    const matchConditions = [{ name: 'not-this', expression: "object.metadata.name != 'skip-me'" }];
    await configure('mutating', 'skipping', [configMaps], { matchConditions });
    const body = { metadata: { name: 'skip-me' }, data: { a: 'b' } };
    assert.deepEqual((await world.admin.send(`${core}/configmaps`, { body })).json?.['data'], { a: 'b' });
    assert.deepEqual((await make({ a: 'b' })).json?.['data'], { a: 'b', mutated: 'yes' });
  });

  it('have no say about configurations, neither changing nor holding them', async () => {
    const all = {
      operations: ['*'],
      apiGroups: ['admissionregistration.k8s.io'],
      apiVersions: ['*'],
      resources: ['*'],
    };
    world.hook.answer = (_, path) =>
      path.includes('holding')
        ? { allowed: false, status: { message: 'no' } }
        : patching([{ op: 'add', path: '/metadata/labels/mutated', value: 'yes' }]);
    await configure('mutating', 'changing', [all]);
    await configure('validating', 'holding', [all]);
    for (const kind of ['mutating', 'validating'] as const) {
      const made = await configure(kind, 'free', [configMaps]);
      assert.equal(made.code, 201, made.text);
      assert.deepEqual((made.json as { metadata: { labels: Json } }).metadata.labels, { set: kind });
      assert.equal((await world.admin.send(`${collection(kind)}/free`, { method: 'DELETE' })).code, 200);
      assert.equal((await world.admin.send(`${collection(kind)}/free`)).code, 404);
    }
    assert.equal(world.hook.asked.length, 0);
  });

  it('refuse an attachment to a pod', async () => {
    const pod = { metadata: { name: 'attached' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await world.admin.send(`${core}/pods`, { body: pod });
    deny();
    const rule = { operations: ['CONNECT'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods/attach'] };
    await configure('validating', 'attach', [rule]);
    const refused = await world.admin.send(`${core}/pods/attached/attach?stdin=true`, { headers: upgrade });
    assert.match(String(refused.json?.['message']), /admission webhook "hook.example.com" denied the request: no/);
  });

  it('refuse custom resources: their creation, update and deletion', async () => {
    const path = await define('Widget', [version('v1')]);
    const body = (name: string): object => ({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name } });
    assert.equal((await world.admin.send(path, { body: body('there') })).code, 201);
    deny();
    await configure('validating', 'widgets', [widgets]);
    for (const answer of [
      await world.admin.send(path, { body: body('new') }),
      await patch(`${path}/there`, { data: { a: 'b' } }),
      await world.admin.send(`${path}/there`, { method: 'DELETE' }),
    ])
      assert.match(String(answer.json?.['message']), /denied the request: no/);
    assert.equal((await world.admin.send(`${path}/there`)).code, 200);
  });

  it('refuse definitions', async () => {
    deny();
    const rule = {
      operations: ['CREATE'],
      apiGroups: ['apiextensions.k8s.io'],
      apiVersions: ['*'],
      resources: ['customresourcedefinitions'],
    };
    await configure('validating', 'definitions', [rule]);
    const refused = await world.admin.send(definitions, { body: definitionOf('Refused', [version('v1')]) });
    assert.match(String(refused.json?.['message']), /denied the request: no/);
  });

  it('change custom resources, as far as their schema goes', async () => {
    const data = { type: 'object', properties: { kept: { type: 'string' }, a: { type: 'string' } } } as const;
    const path = await define('Pruned', [version('v1', { schema: { type: 'object', properties: { data } } })]);
    world.hook.answer = () =>
      patching([
        { op: 'add', path: '/data/kept', value: 'yes' },
        { op: 'add', path: '/data/dropped', value: 'no' },
      ]);
    await configure('mutating', 'pruned', [{ ...widgets, resources: ['pruneds'] }]);
    const body = { apiVersion: 'example.com/v1', kind: 'Pruned', metadata: { name: 'x' }, data: { a: 'b' } };
    assert.deepEqual((await world.admin.send(path, { body })).json?.['data'], { a: 'b', kept: 'yes' });
  });

  it('change custom resources after another version has become the stored one', async () => {
    const path = await define('Moved', [version('v1'), version('v2', { isStorage: false })]);
    world.hook.answer = () => patching([{ op: 'add', path: '/data/mutated', value: 'yes' }]);
    await configure('mutating', 'moved', [{ ...widgets, resources: ['moveds'] }]);
    const body = { apiVersion: 'example.com/v1', kind: 'Moved', metadata: { name: 'x' }, data: { a: 'b' } };
    assert.equal((await world.admin.send(path, { body })).code, 201);
    const stored = [
      { op: 'replace', path: '/spec/versions/0/storage', value: false },
      { op: 'replace', path: '/spec/versions/1/storage', value: true },
    ];
    assert.equal((await patch(`${definitions}/moveds.example.com`, stored, 'json-patch+json')).code, 200);
    await eventually(async () => {
      const patched = await patch(`${path}/x`, { data: { more: 'c' } });
      assert.deepEqual(patched.json?.['data'], { a: 'b', mutated: 'yes', more: 'c' });
    });
  });

  it('wait for a webhook as long as its timeout says, and go on without it where its failure is ignored', async () => {
    world.hook.answer = () => undefined;
    await configure('validating', 'slow', [configMaps], { timeoutSeconds: 1 });
    const refused = await make();
    assert.equal(refused.code, 500);
    assert.match(String(refused.json?.['message']), /failed calling webhook "hook\.example\.com".*(deadline|timeout)/);
    await patch(
      `${collection('validating')}/slow`,
      [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }],
      'json-patch+json',
    );
    assert.equal((await make()).code, 201);
    await world.admin.send(`${collection('validating')}/slow`, { method: 'DELETE' });
    let answer: (said: object) => void = () => undefined;
    world.hook.answer = () => new Promise((resolve) => (answer = resolve));
    await configure('validating', 'patient', [configMaps], { timeoutSeconds: 10 });
    world.hook.asked.length = 0;
    const waiting = make();
    await eventually(() => assert.equal(world.hook.asked.length, 1));
    answer({ allowed: true });
    assert.equal((await waiting).code, 201);
  });
});

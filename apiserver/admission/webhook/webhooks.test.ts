import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { namespaces } from '../../../shared/api/generated/resources.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import { apiserverUser } from '../../authentication/user.js';
import type { RawAnswer } from '../../testing/raw-client.js';
import { patching, webhookWorld } from './testing.js';

const group = '/apis/admissionregistration.k8s.io/v1';
const configMaps = '/api/v1/namespaces/default/configmaps';

describe('admission webhooks', () => {
  const world = webhookWorld();

  const rule = { operations: ['*'], apiGroups: [''], apiVersions: ['*'], resources: ['configmaps'] };
  const webhook = (change: object = {}): object => ({
    name: 'hook.example.com',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    clientConfig: { url: `${world.hook.url}/check`, caBundle: world.hook.caBundle },
    rules: [rule],
    ...change,
  });
  const configure = async (
    kind: 'mutating' | 'validating',
    name: string,
    ...webhooks: object[]
  ): Promise<RawAnswer> => {
    const path = `${group}/${kind}webhookconfigurations`;
    const answer = await world.admin.send(path, { body: { metadata: { name }, webhooks } });
    if (answer.code === 201) world.made.push(`${path}/${name}`);
    return answer;
  };
  const make = (name: string, body: object = {}, query = ''): Promise<RawAnswer> =>
    world.admin.send(`${configMaps}${query}`, { body: { metadata: { name }, ...body } });
  const message = ({ json }: RawAnswer): unknown => json?.['message'];

  it('show a validating webhook the request, and let it refuse, warn and be named', async () => {
    await configure('validating', 'refusing', webhook());
    world.hook.answer = () => ({ allowed: false, status: { code: 403, reason: 'Forbidden', message: 'not today' } });
    const refused = await make('a', { data: { x: 'y' } });
    assert.equal(refused.code, 403);
    assert.equal(message(refused), 'admission webhook "hook.example.com" denied the request: not today');
    assert.equal(refused.json?.['reason'], 'Forbidden');
    const [asked] = world.hook.asked;
    assert.equal(asked?.operation, 'CREATE');
    assert.deepEqual(asked.kind, { group: '', version: 'v1', kind: 'ConfigMap' });
    assert.deepEqual(asked.resource, { group: '', version: 'v1', resource: 'configmaps' });
    assert.equal(asked.namespace, 'default');
    assert.equal(asked.name, 'a');
    assert.equal(asked.userInfo.username, 'kubernetes-admin');
    assert.equal(asked.dryRun, false);
    assert.equal(asked.oldObject, null);
    assert.deepEqual(asked.object?.['data'], { x: 'y' });
    assert.equal(asked.object['kind'], 'ConfigMap');
    assert.equal(asked.options?.['kind'], 'CreateOptions');
    world.hook.answer = () => ({ allowed: true, warnings: ['mind the gap'] });
    const warned = await make('a');
    assert.equal(warned.code, 201);
    assert.equal(warned.headers['warning'], '299 - "mind the gap"');
  });

  it('say so when a webhook refuses without a word', async () => {
    await configure('validating', 'silent', webhook());
    world.hook.answer = () => ({ allowed: false });
    const refused = await make('b');
    assert.equal(refused.code, 400);
    assert.equal(message(refused), 'admission webhook "hook.example.com" denied the request without explanation');
  });

  it('show updates with the old object and deletes with it alone', async () => {
    await make('c', { data: { v: '1' } });
    await configure('validating', 'looking', webhook());
    await world.admin.send(`${configMaps}/c`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { data: { v: '2' } },
    });
    await world.admin.send(`${configMaps}/c`, { method: 'DELETE' });
    const [update, deletion] = world.hook.asked;
    assert.equal(update?.operation, 'UPDATE');
    assert.deepEqual(update.oldObject?.['data'], { v: '1' });
    assert.deepEqual(update.object?.['data'], { v: '2' });
    assert.equal(deletion?.operation, 'DELETE');
    assert.equal(deletion.object, null);
    assert.deepEqual(deletion.oldObject?.['data'], { v: '2' });
    assert.equal(deletion.options?.['kind'], 'DeleteOptions');
  });

  it('change objects by JSON patches, in the order of the names of their configurations', async () => {
    world.hook.answer = (asked, path) => {
      const seen = (asked.object?.['data'] as Record<string, string> | undefined)?.['seen'] ?? '';
      return patching([{ op: 'add', path: '/data', value: { seen: `${seen}${path.slice(1, 2)}` } }]);
    };
    const at = (path: string): object =>
      webhook({ clientConfig: { url: `${world.hook.url}/${path}`, caBundle: world.hook.caBundle } });
    await configure('mutating', 'second', at('b'));
    await configure('mutating', 'first', at('a'));
    const answer = await make('d');
    assert.deepEqual(answer.json?.['data'], { seen: 'ab' });
  });

  it('call a webhook again when a later one has changed the object, if it wants that', async () => {
    world.hook.answer = (asked, path) => {
      const data = (asked.object?.['data'] ?? {}) as Record<string, string>;
      const name = path.slice(1, 2);
      if (data[name] !== undefined) return { allowed: true };
      return patching([{ op: 'add', path: '/data', value: { ...data, [name]: 'x' } }]);
    };
    const at = (path: string, reinvocationPolicy: string): object =>
      webhook({
        clientConfig: { url: `${world.hook.url}/${path}`, caBundle: world.hook.caBundle },
        reinvocationPolicy,
      });
    await configure('mutating', 'one', at('a', 'IfNeeded'));
    await configure('mutating', 'two', at('b', 'Never'));
    const answer = await make('e');
    assert.deepEqual(answer.json?.['data'], { a: 'x', b: 'x' });
    assert.equal(world.hook.asked.length, 3);
  });

  it('are defaulted, validated and guarded after a mutation', async () => {
    const pods = { ...rule, resources: ['pods'] };
    await configure('mutating', 'pods', webhook({ rules: [pods] }));
    world.hook.answer = () =>
      patching([
        { op: 'add', path: '/spec/containers/-', value: { name: 'extra', image: 'i' } },
        { op: 'add', path: '/spec/initContainers', value: [{ name: 'first', image: 'i' }] },
        { op: 'replace', path: '/metadata/uid', value: 'stolen' },
      ]);
    const path = '/api/v1/namespaces/default/pods';
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    const pod = await world.admin.send(path, { body: { metadata: { name: 'p' }, spec } });
    const { spec: stored, metadata } = pod.json as {
      spec: { containers: Record<string, string>[]; initContainers: Record<string, string>[] };
      metadata: { uid: string };
    };
    assert.equal(stored.containers[1]?.['terminationMessagePath'], '/dev/termination-log');
    assert.equal(stored.initContainers[0]?.['name'], 'first');
    assert.equal(stored.initContainers[0]?.['terminationMessagePolicy'], 'File');
    assert.notEqual(metadata.uid, 'stolen');
    world.hook.answer = () => patching([{ op: 'add', path: '/spec/containers/-', value: { name: 'c', image: 'i' } }]);
    const invalid = await world.admin.send(path, { body: { metadata: { name: 'q' }, spec } });
    assert.equal(invalid.code, 422);
    assert.match(String(message(invalid)), /spec\.containers\[1\]\.name: Duplicate value: "c"/);
  });

  it('are bound to namespaces and objects by labels', async () => {
    await world.admin.send('/api/v1/namespaces', { body: { metadata: { name: 'watched', labels: { watch: 'yes' } } } });
    const namespaceSelector = { matchLabels: { watch: 'yes' } };
    const objectSelector = { matchExpressions: [{ key: 'skip', operator: 'DoesNotExist' }] };
    await configure('validating', 'bound', webhook({ namespaceSelector, objectSelector }));
    await make('f');
    await world.admin.send('/api/v1/namespaces/watched/configmaps', {
      body: { metadata: { name: 'skipped', labels: { skip: '' } } },
    });
    await world.admin.send('/api/v1/namespaces/watched/configmaps', { body: { metadata: { name: 'seen' } } });
    assert.deepEqual(
      world.hook.asked.map(({ name }) => name),
      ['seen'],
    );
  });

  it('are told of other versions of what they ask for, in their own version', async () => {
    const rules = [
      { operations: ['CREATE'], apiGroups: ['events.k8s.io'], apiVersions: ['v1'], resources: ['events'] },
    ];
    await configure('validating', 'equivalent', webhook({ rules }));
    const event = { involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' }, type: 'Normal', message: 'hi' };
    const path = '/api/v1/namespaces/default/events';
    await world.admin.send(path, { body: { metadata: { name: 'e1' }, ...event } });
    assert.deepEqual(world.hook.asked[0]?.kind, { group: 'events.k8s.io', version: 'v1', kind: 'Event' });
    assert.equal(world.hook.asked[0].object?.['note'], 'hi');
    world.made.push(`${group}/validatingwebhookconfigurations/exact`);
    await configure('validating', 'exact', webhook({ rules, matchPolicy: 'Exact' }));
    await world.admin.send(`${group}/validatingwebhookconfigurations/equivalent`, { method: 'DELETE' });
    await world.admin.send(path, { body: { metadata: { name: 'e2' }, ...event } });
    assert.equal(world.hook.asked.length, 1);
  });

  it('see a Scale, and may change it', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const path = '/apis/apps/v1/namespaces/default/deployments';
    await world.admin.send(path, {
      body: { metadata: { name: 'scaled' }, spec: { selector: { matchLabels: { a: 'b' } }, template } },
    });
    const rules = [{ operations: ['*'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments/scale'] }];
    await configure('mutating', 'scale', webhook({ rules }));
    world.hook.answer = () => patching([{ op: 'replace', path: '/spec/replicas', value: 2 }]);
    await world.admin.send(`${path}/scaled/scale`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { spec: { replicas: 9 } },
    });
    assert.deepEqual(world.hook.asked[0]?.kind, { group: 'autoscaling', version: 'v1', kind: 'Scale' });
    assert.deepEqual(world.hook.asked[0].object?.['spec'], { replicas: 9 });
    const { json } = await world.admin.send(`${path}/scaled`);
    assert.equal((json?.['spec'] as { replicas: number } | undefined)?.replicas, 2);
  });

  it('see evictions and connections', async () => {
    const pods = '/api/v1/namespaces/default/pods';
    await world.admin.send(pods, {
      body: { metadata: { name: 'evicted' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    });
    const rules = [{ ...rule, resources: ['pods/eviction', 'pods/proxy'] }];
    await configure('validating', 'streams', webhook({ rules }));
    world.hook.answer = () => ({ allowed: false, status: { code: 403, message: 'closed' } });
    const refusal = 'admission webhook "hook.example.com" denied the request: closed';
    const proxied = await world.admin.send(`${pods}/evicted/proxy/path`);
    assert.equal(message(proxied), refusal);
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'evicted' } };
    const evicted = await world.admin.send(`${pods}/evicted/eviction`, { body: eviction });
    assert.equal(message(evicted), refusal);
    assert.deepEqual(
      world.hook.asked.map(({ operation, kind, subResource }) => [operation, kind.kind, subResource]),
      [
        ['CONNECT', 'PodProxyOptions', 'proxy'],
        ['CREATE', 'Eviction', 'eviction'],
      ],
    );
    assert.deepEqual(world.hook.asked[0]?.object?.['path'], '/path');
    assert.equal((await world.admin.send(`${pods}/evicted`)).code, 200);
  });

  it('that do not answer in time are named, and ignored where that is the policy', async () => {
    world.hook.answer = () => undefined;
    await configure('validating', 'slow', webhook({ timeoutSeconds: 1 }));
    const late = await make('g');
    assert.equal(late.code, 500);
    assert.equal(late.json?.['reason'], 'InternalError');
    assert.equal(
      message(late),
      `Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: Post "${world.hook.url}/check?timeout=1s": context deadline exceeded`,
    );
    await configure('validating', 'slow-too', webhook({ timeoutSeconds: 1, failurePolicy: 'Ignore' }));
    await world.admin.send(`${group}/validatingwebhookconfigurations/slow`, { method: 'DELETE' });
    assert.equal((await make('g')).code, 201);
  });

  it('without the authority that they are known by are not believed', async () => {
    await configure('validating', 'unknown', webhook({ clientConfig: { url: `${world.hook.url}/check` } }));
    const answer = await make('h');
    assert.equal(answer.code, 500);
    assert.match(String(message(answer)), /x509: certificate signed by unknown authority$/);
    assert.equal(world.hook.asked.length, 0);
  });

  it('behind a Service that is not there cannot be reached', async () => {
    const service = { namespace: 'default', name: 'none', path: '/check' };
    await configure('validating', 'absent', webhook({ clientConfig: { service, caBundle: world.hook.caBundle } }));
    assert.equal(
      message(await make('i')),
      'Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: Post "https://none.default.svc:443/check?timeout=10s": services "none" not found',
    );
  });

  const nonsense: readonly [string, string, RegExp][] = [
    ['no JSON', 'hello', /received invalid webhook response|couldn't get version\/kind/],
    ['no review', '{}', /expected webhook response of admission\.k8s\.io\/v1, Kind=AdmissionReview, got , Kind=/],
    ['no response', '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}', /webhook response was absent/],
    [
      'the answer to another question',
      '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"x","allowed":true}}',
      /expected response\.uid="[-0-9a-f]+", got "x"/,
    ],
    ['more than anybody wants', 'x'.repeat(3 * 1024 * 1024 + 1), /response body is too large/],
  ];
  for (const [what, body, expected] of nonsense) {
    it(`that answer ${what} fail`, async () => {
      await configure('validating', 'nonsense', webhook());
      world.hook.answer = () => body;
      const answer = await make('j');
      assert.equal(answer.code, 500);
      assert.match(String(message(answer)), expected);
    });
  }

  it('are asked only where their match conditions hold, and refuse where nobody knows', async () => {
    const matchConditions = [
      { name: 'not-nodes', expression: "!('system:nodes' in request.userInfo.groups)" },
      { name: 'important', expression: 'object.data.important == "yes"' },
    ];
    await configure('validating', 'conditional', webhook({ matchConditions }));
    await make('m1', { data: { important: 'no' } });
    assert.equal(world.hook.asked.length, 0);
    await make('m2', { data: { important: 'yes' } });
    assert.equal(world.hook.asked.length, 1);
    const unknown = await make('m3');
    assert.equal(unknown.code, 403);
    assert.match(
      String(message(unknown)),
      /^configmaps "m3" is forbidden: expression .* resulted in error: no such key/,
    );
  });

  it('are not asked about themselves', async () => {
    const all = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] };
    world.hook.answer = () => ({ allowed: false });
    await configure('validating', 'all', webhook({ rules: [all] }));
    const removed = await world.admin.send(`${group}/validatingwebhookconfigurations/all`, { method: 'DELETE' });
    assert.equal(removed.code, 200);
    assert.equal(world.hook.asked.length, 0);
  });

  it('are not asked about what the server keeps itself', async () => {
    world.hook.answer = () => ({ allowed: false });
    await configure('validating', 'namespaces', webhook({ rules: [{ ...rule, resources: ['namespaces'] }] }));
    const { store } = world.server.apiserver.registry.of(namespaces);
    const warn = (): void => {};
    const options = { user: apiserverUser, isDryRun: false, fieldManager: 'x', force: false, warn };
    const kept = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kept' } } as unknown as KubernetesObject;
    const { isCreated } = await store.create(undefined, kept, { ...options, fieldValidation: 'Ignore' });
    assert.equal(isCreated, true);
    assert.equal(world.hook.asked.length, 0);
  });

  it('are told of a dry run', async () => {
    await configure('validating', 'dry', webhook());
    await make('k', {}, '?dryRun=All');
    assert.equal(world.hook.asked[0]?.dryRun, true);
    assert.deepEqual(world.hook.asked[0].options?.['dryRun'], ['All']);
    assert.equal((await world.admin.send(`${configMaps}/k`)).code, 404);
  });

  it('are counted with how they ended, and so are the steps of a write', async () => {
    await configure('validating', 'counted', webhook({ name: 'counted.example.com' }));
    world.hook.answer = () => ({ allowed: false, status: { code: 418 } });
    await make('counted');
    const { caBundle } = world.hook;
    const clientConfig = { url: 'https://127.0.0.1:1/check', caBundle };
    await configure('mutating', 'open', webhook({ name: 'open.example.com', failurePolicy: 'Ignore', clientConfig }));
    await make('counted');
    const { text } = await world.admin.send('/metrics');
    const webhooks = 'apiserver_admission_webhook';
    const counted = 'name="counted.example.com",operation="CREATE"';
    for (const line of [
      `${webhooks}_request_total{code="418",${counted},rejected="true",type="validating"} 2`,
      `${webhooks}_rejection_count{error_type="no_error",${counted},rejection_code="418",type="validating"} 2`,
      `${webhooks}_fail_open_count{name="open.example.com",type="admit"} 1`,
      `${webhooks}_admission_duration_seconds_count{${counted},rejected="true",type="validating"} 2`,
    ]) {
      assert.ok(text.includes(line), line);
    }
    const steps = 'apiserver_admission_step_admission_duration_seconds_count';
    assert.match(text, new RegExp(`${steps}{operation="CREATE",rejected="true",type="validate"} [1-9]`));
    assert.match(text, new RegExp(`${steps}{operation="CREATE",rejected="false",type="admit"} [1-9]`));
  });

  it('keep their connection', async () => {
    await configure('validating', 'keeping', webhook());
    for (let i = 0; i < 5; i++) await make(`l${i}`);
    assert.equal(world.hook.asked.length, 5);
    assert.equal(world.hook.connections(), 1);
  });

  it('are refused where they are described wrongly', async () => {
    const answer = await configure(
      'validating',
      'wrong',
      webhook({
        name: 'short',
        sideEffects: 'Some',
        timeoutSeconds: 31,
        clientConfig: { url: 'http://host/path?query' },
        rules: [{ ...rule, resources: ['pods/*', 'pods/log'] }],
      }),
    );
    assert.equal(answer.code, 422);
    const causes =
      (answer.json?.['details'] as { causes: { field: string; message: string }[] } | undefined)?.causes ?? [];
    assert.deepEqual(
      causes.map(({ field, message: text }) => `${field}: ${text}`),
      [
        'webhooks[0].name: Invalid value: "short": should be a domain with at least three segments separated by dots',
        `webhooks[0].rules[0].resources[1]: Invalid value: "pods/log": if 'pods/*' is present, must not specify pods/log`,
        'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
        'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
        `webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
        'webhooks[0].clientConfig.url: Invalid value: "query": query parameters are not permitted in the URL',
      ],
    );
  });
});

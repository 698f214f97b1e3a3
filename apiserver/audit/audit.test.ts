import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '../../shared/clock/clock.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { eventually } from '../../shared/clock/eventually.js';
import { silentLog } from '../../shared/log/log.js';
import { MetricsRegistry } from '../../shared/metrics/registry.js';
import { ProtobufCodec } from '../protobuf/codec.js';
import { loadSchemas } from '../schema/schemas.js';
import { serverWorld } from '../testing/server-world.js';
import { AuditFile } from './audit-file.js';
import { AuditBackends } from './audit-backends.js';
import { AuditLog, type AuditSink } from './audit-log.js';
import { AuditWebhook } from './audit-webhook.js';
import { readAuditPolicy } from './policy.js';

interface Written {
  level: string;
  stage: string;
  verb: string;
  requestURI: string;
  user: { username: string };
  impersonatedUser?: { username: string };
  objectRef?: { resource: string; name?: string; namespace?: string; uid?: string; resourceVersion?: string };
  responseStatus?: { code: number; reason?: string };
  requestObject?: { data?: object; spec?: object; items?: object[] };
  responseObject?: { kind?: string; metadata?: { managedFields?: object }; items?: object[] };
  annotations?: Record<string, string>;
}

class Lines implements AuditSink {
  readonly events: Written[] = [];
  text = '';
  write(lines: readonly Buffer[]): Promise<void> {
    for (const line of lines) {
      this.text += line.toString();
      this.events.push(JSON.parse(line.toString()) as Written);
    }
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

const policy = (rules: object[], more: object = {}): ReturnType<typeof readAuditPolicy> =>
  readAuditPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules, ...more });

describe('the audit of requests', () => {
  const lines = new Lines();
  const rules = [
    { level: 'None', resources: [{ group: '', resources: ['pods'] }] },
    {
      level: 'RequestResponse',
      resources: [{ group: '' }],
      omitManagedFields: true,
      omitStages: ['RequestReceived'],
    },
    { level: 'Metadata' },
  ];
  const world = serverWorld({ identity: { audit: { policy: policy(rules), sink: lines } } });
  const { admin } = world;
  const completed = async (matching: (event: Written) => boolean): Promise<Written> => {
    let found: Written | undefined;
    await eventually(() => {
      found = lines.events.find((event) => event.stage === 'ResponseComplete' && matching(event));
      assert.ok(found);
    });
    assert.ok(found);
    return found;
  };

  it('tells who, what, when and how it ended', async () => {
    await admin.send('/api/v1/namespaces/default/configmaps', { body: { metadata: { name: 'a' }, data: { k: 'v' } } });
    const event = await completed(({ verb, objectRef }) => verb === 'create' && objectRef?.resource === 'configmaps');
    assert.equal(event.user.username, 'kubernetes-admin');
    assert.equal(event.level, 'RequestResponse');
    assert.equal(event.responseStatus?.code, 201);
    assert.deepEqual(event.requestObject?.data, { k: 'v' });
    assert.ok(event.responseObject?.metadata && !event.responseObject.metadata.managedFields);
    assert.equal(event.annotations?.['authorization.k8s.io/decision'], 'allow');
  });

  it('tells refusals, with the reason and whom somebody acted as', async () => {
    await admin.send('/apis/apps/v1/deployments', { headers: { 'Impersonate-User': 'bob' } });
    const event = await completed(({ impersonatedUser }) => impersonatedUser?.username === 'bob');
    assert.equal(event.responseStatus?.code, 403);
    assert.equal(event.responseStatus.reason, 'Forbidden');
    assert.equal(event.annotations?.['authorization.k8s.io/decision'], 'forbid');
    assert.ok(lines.events.some(({ stage, requestURI }) => stage === 'RequestReceived' && requestURI.includes('apps')));
  });

  it('tells what those tried whom nobody knows', async () => {
    const nobody = world.clientWith();
    await nobody.send('/apis/apps/v1', { headers: { authorization: 'Bearer hidden-token-value' } });
    const event = await completed(
      ({ requestURI, responseStatus }) => requestURI === '/apis/apps/v1' && responseStatus?.code === 401,
    );
    assert.equal(event.user.username, '');
  });

  it('never holds a secret or a token, whatever the policy says', async () => {
    const secret = 'c2VjcmV0LXZhbHVl';
    await admin.send('/api/v1/namespaces/default/secrets', { body: { metadata: { name: 's' }, data: { p: secret } } });
    await admin.send('/api/v1/namespaces/default/secrets');
    await admin.send('/api/v1/namespaces/default/serviceaccounts', { body: { metadata: { name: 'robot' } } });
    const issued = await admin.send('/api/v1/namespaces/default/serviceaccounts/robot/token', { body: { spec: {} } });
    const { token } = (issued.json as { status: { token: string } }).status;
    await admin.send('/apis/authentication.k8s.io/v1/tokenreviews', { body: { spec: { token } } });
    const event = await completed(({ requestURI }) => requestURI.endsWith('tokenreviews'));
    assert.equal(event.level, 'Metadata');
    await completed(({ verb, objectRef }) => verb === 'list' && objectRef?.resource === 'secrets');
    for (const hidden of [secret, token, 'hidden-token-value']) assert.ok(!lines.text.includes(hidden));
  });

  it('names the object where the URL does not: as it was sent, or as the server called it', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    await admin.send(path, { body: { metadata: { generateName: 'made-' } } });
    const made = await completed(({ objectRef }) => objectRef?.name?.startsWith('made-') === true);
    assert.match(made.objectRef?.name ?? '', /^made-[a-z0-9]{5}$/);
    const answer = await admin.send(path, { body: { metadata: { name: 'named' } } });
    const { metadata } = answer.json as { metadata: { uid: string; resourceVersion: string } };
    await admin.send(`${path}/named`, { method: 'PUT', body: { ...answer.json, data: { k: 'v' } } });
    const updated = await completed(({ verb, objectRef }) => verb === 'update' && objectRef?.name === 'named');
    assert.equal(updated.objectRef?.uid, metadata.uid);
    assert.equal(updated.objectRef.resourceVersion, metadata.resourceVersion);
    await admin.send('/apis/apps/v1/namespaces/default/deployments', { body: { metadata: { name: 'refused' } } });
    const refused = await completed(({ objectRef }) => objectRef?.name === 'refused');
    assert.equal(refused.responseStatus?.code, 422);
  });

  it('writes bodies down as objects, in whatever form they travel', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    const headers = { 'content-type': 'application/yaml', accept: 'application/yaml' };
    await admin.send(path, { body: 'metadata: {name: yaml}\ndata: {a: b}', headers });
    const yaml = await completed(({ objectRef }) => objectRef?.name === 'yaml');
    assert.deepEqual(yaml.requestObject?.data, { a: 'b' });
    assert.equal(yaml.responseObject?.kind, 'ConfigMap');
    const metadata = { name: 'protobuf' };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { c: 'd' } };
    const body = new ProtobufCodec(loadSchemas()).encode(object);
    const sent = await admin.send(path, { body, headers: { 'content-type': 'application/vnd.kubernetes.protobuf' } });
    assert.equal(sent.code, 201);
    const protobuf = await completed(({ objectRef }) => objectRef?.name === 'protobuf');
    assert.deepEqual(protobuf.requestObject?.data, { c: 'd' });
    const apply = { method: 'PATCH', headers: { 'content-type': 'application/apply-patch+yaml' } };
    const patch = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {e: f}';
    await admin.send(`${path}/applied?fieldManager=test`, { ...apply, body: patch });
    const applied = await completed(({ verb, objectRef }) => verb === 'patch' && objectRef?.name === 'applied');
    assert.deepEqual(applied.requestObject?.data, { e: 'f' });
    await admin.send(path);
    const listed = await completed(({ verb, objectRef }) => verb === 'list' && objectRef?.resource === 'configmaps');
    assert.equal(listed.responseObject?.kind, 'ConfigMapList');
    assert.ok((listed.responseObject.items?.length ?? 0) >= 3);
  });

  it('notes what admission says of a request', async () => {
    const labels = {
      'pod-security.kubernetes.io/enforce': 'baseline',
      'pod-security.kubernetes.io/audit': 'restricted',
    };
    await admin.send('/api/v1/namespaces', { body: { metadata: { name: 'strict', labels } } });
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { selector: { matchLabels: { a: 'b' } }, template };
    const path = '/apis/apps/v1/namespaces/strict/deployments';
    await admin.send(path, { body: { metadata: { name: 'loose' }, spec } });
    const { annotations } = await completed(({ objectRef }) => objectRef?.name === 'loose');
    assert.match(
      annotations?.['pod-security.kubernetes.io/audit-violations'] ?? '',
      /^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false/,
    );
    const group = '/apis/admissionregistration.k8s.io/v1';
    const resourceRules = [
      { operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] },
    ];
    const policy = {
      matchConstraints: { resourceRules },
      validations: [{ expression: 'object.spec.replicas > 5', message: 'too few' }],
      auditAnnotations: [{ key: 'replicas', valueExpression: 'string(object.spec.replicas)' }],
    };
    await admin.send(`${group}/validatingadmissionpolicies`, { body: { metadata: { name: 'p' }, spec: policy } });
    const binding = { policyName: 'p', validationActions: ['Audit'] };
    await admin.send(`${group}/validatingadmissionpolicybindings`, {
      body: { metadata: { name: 'b' }, spec: binding },
    });
    await admin.send(path, { body: { metadata: { name: 'judged' }, spec } });
    const judged = await completed(({ objectRef }) => objectRef?.name === 'judged');
    assert.equal(judged.annotations?.['p/replicas'], '1');
    const [failure] = JSON.parse(
      judged.annotations['validation.policy.admission.k8s.io/validation_failure'] ?? '',
    ) as Record<string, unknown>[];
    assert.equal(failure?.['message'], 'too few');
    assert.equal(judged.annotations['authorization.k8s.io/decision'], 'allow');
  });

  it('tells of a watch when it begins, and nothing of what the policy leaves out', async () => {
    await admin.send('/api/v1/namespaces/default/pods');
    await admin.send('/apis/apps/v1/deployments?watch=true&timeoutSeconds=1');
    await completed(({ verb }) => verb === 'watch');
    assert.ok(lines.events.some(({ stage, verb }) => stage === 'ResponseStarted' && verb === 'watch'));
    assert.ok(!lines.events.some(({ objectRef }) => objectRef?.resource === 'pods'));
  });
});

describe('an audit policy', () => {
  const wrong: [document: unknown, message: RegExp][] = [
    [{ kind: 'Policy' }, /not of apiVersion/],
    [{ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [] }, /no rules/],
    [{ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'All' }] }, /rules\[0\]\.level: must be one of/],
    [
      { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'None', users: 'x' }] },
      /rules\[0\]\.users: must be a list/,
    ],
    [
      { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'None' }], omitStages: ['Never'] },
      /omitStages: "Never" is not one of/,
    ],
  ];
  for (const [document, expected] of wrong) {
    it(`is refused: ${expected.source}`, () => assert.throws(() => readAuditPolicy(document), expected));
  }
});

describe('the audit log', () => {
  it('puts full files aside, keeps as many as it should, and lets only the owner read them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'knarr-audit-'));
    try {
      const path = join(directory, 'audit.log');
      let now = Date.parse('2026-01-01T00:00:00Z');
      const clock = { ...systemClock, now: () => (now += 1_000) };
      const file = new AuditFile({ path, maxSizeBytes: 25, maxBackups: 2, maxAgeMs: 0, clock });
      for (let i = 0; i < 5; i++) await file.write([Buffer.from(`{"event":"number ${i}"}\n`)]);
      await file.close();
      const names = (await readdir(directory)).sort();
      assert.equal(names.length, 3);
      assert.match(names[0] ?? '', /^audit-2026-01-01T00-00-\d\d\.000\.log$/);
      assert.equal(await readFile(path, 'utf8'), '{"event":"number 4"}\n');
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      const aged = new AuditFile({ path, maxSizeBytes: 25, maxBackups: 0, maxAgeMs: 1, clock: systemClock });
      const old = join(directory, 'audit-2000-01-01T00-00-00.000.log');
      await writeFile(old, 'old');
      await utimes(old, 0, 0);
      await aged.write([Buffer.from(`{"event":"number 5"}\n`)]);
      await aged.close();
      assert.ok(!(await readdir(directory)).includes('audit-2000-01-01T00-00-00.000.log'));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('counts what a sink that is stuck cannot take, and makes nobody wait', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let written = 0;
    const sink: AuditSink = {
      write: async (batch) => {
        await gate;
        written += batch.length;
      },
      close: () => Promise.resolve(),
    };
    const metrics = new MetricsRegistry();
    const log = new AuditLog(sink, { clock: systemClock, log: silentLog, metrics, plugin: 'log' });
    for (let i = 0; i < 25_000; i++) log.add('{}');
    release();
    await log.close();
    const lost = Number(/apiserver_audit_error_total\{plugin="log"\} (\d+)/.exec(metrics.render())?.[1]);
    assert.equal(written + lost, 25_000);
    assert.ok(written >= 10_000 && lost > 0);
  });

  it('sends a service lists of events, in bounded pieces, until it takes them', async () => {
    const clock = new FakeClock();
    const sent: string[][] = [];
    const answers = ['no', 'no', 'yes'];
    const post = (body: string): Promise<void> => {
      const list = JSON.parse(body) as { kind: string; apiVersion: string; items: { id: string }[] };
      assert.deepEqual([list.kind, list.apiVersion], ['EventList', 'audit.k8s.io/v1']);
      sent.push(list.items.map(({ id }) => id));
      return answers.shift() === 'no' ? Promise.reject(new Error('away')) : Promise.resolve();
    };
    const sink = new AuditWebhook({ post, clock, initialBackoffMs: 10_000, maxBatchBytes: 25 });
    const metrics = new MetricsRegistry();
    const batching = { maxWaitMs: 30_000, maxEvents: 400, bufferEvents: 4 };
    const backends = new AuditBackends({ webhook: { sink, batching } }, { clock, log: silentLog, metrics });
    for (const id of ['a', 'b', 'c', 'd', 'e']) backends.add(JSON.stringify({ id }));
    await clock.advance(29_000);
    assert.equal(sent.length, 0);
    await clock.advance(1_000);
    assert.deepEqual(sent, [['a', 'b']]);
    await clock.advance(10_000);
    assert.equal(sent.length, 2);
    await clock.advance(15_000);
    assert.deepEqual(sent.slice(2), [
      ['a', 'b'],
      ['c', 'd'],
    ]);
    // Five were told, one was too many for the buffer.
    assert.match(metrics.render(), /^apiserver_audit_event_total 5$/m);
    assert.match(metrics.render(), /^apiserver_audit_error_total\{plugin="webhook"\} 1$/m);
    answers.push(...Array.from({ length: 9 }, () => 'no'));
    backends.add('{"id":"f"}');
    await backends.close();
    assert.deepEqual(sent.slice(4), [['f']]);
    assert.match(metrics.render(), /^apiserver_audit_error_total\{plugin="webhook"\} 2$/m);
  });
});

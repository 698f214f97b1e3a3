import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AuditRecorder } from '../audit/testing.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { patching, webhookWorld } from './webhook/testing.js';

const group = '/apis/admissionregistration.k8s.io/v1';
const configMaps = '/api/v1/namespaces/default/configmaps';
const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['*'], resources: ['configmaps'] }];

describe('what admission notes in the audit log', () => {
  const audit = new AuditRecorder('RequestResponse');
  const world = webhookWorld({ identity: { audit: { policy: audit.policy, sink: audit } } });
  const { admin, made } = world;

  const keep = async (path: string, body: { metadata: { name: string } }): Promise<void> => {
    const answer = await admin.send(path, { body });
    assert.equal(answer.code, 201, answer.text);
    made.push(`${path}/${body.metadata.name}`);
  };
  const configure = (kind: 'mutating' | 'validating', name: string, change: object = {}): Promise<void> =>
    keep(`${group}/${kind}webhookconfigurations`, {
      metadata: { name },
      webhooks: [
        {
          name: `${name}.example.com`,
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: { url: `${world.hook.url}/${name}`, caBundle: world.hook.caBundle },
          rules,
          ...change,
        },
      ],
    } as { metadata: { name: string } });
  const policy = async (spec: object): Promise<void> => {
    const matchConstraints = { resourceRules: rules };
    await keep(`${group}/validatingadmissionpolicies`, {
      metadata: { name: 'policy' },
      spec: { matchConstraints, ...spec },
    } as { metadata: { name: string } });
    await keep(`${group}/validatingadmissionpolicybindings`, {
      metadata: { name: 'bound' },
      spec: { policyName: 'policy', validationActions: ['Audit'] },
    } as { metadata: { name: string } });
  };
  const make = (name: string): Promise<RawAnswer> => admin.send(configMaps, { body: { metadata: { name } } });
  const noted = async (name: string): Promise<Record<string, string>> => {
    const { annotations = {} } = await audit.of('create', name);
    return Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith('authorization.k8s.io/')));
  };

  it('are the annotations of webhooks under their names, and who changed what', async () => {
    await configure('mutating', 'changing');
    await configure('validating', 'judging');
    const operation = { op: 'add', path: '/data', value: { a: 'b' } };
    world.hook.answer = (_, path) => ({
      ...(path.startsWith('/changing') ? patching([operation]) : { allowed: true }),
      auditAnnotations: { seen: 'yes', 'not/a key': 'lost' },
    });
    assert.equal((await make('hooked')).code, 201);
    const who = { configuration: 'changing', webhook: 'changing.example.com' };
    const { [`patch.webhook.admission.k8s.io/round_0_index_0`]: patch, ...others } = await noted('hooked');
    assert.deepEqual(JSON.parse(patch ?? ''), { ...who, patch: [operation], patchType: 'JSONPatch' });
    assert.deepEqual(others, {
      'changing.example.com/seen': 'yes',
      'judging.example.com/seen': 'yes',
      'mutation.webhook.admission.k8s.io/round_0_index_0': JSON.stringify({ ...who, mutated: true }),
    });
  });

  it('are also those of a webhook that refuses', async () => {
    await configure('validating', 'refusing');
    world.hook.answer = () => ({ allowed: false, auditAnnotations: { why: 'monday' } });
    assert.equal((await make('refused')).code, 400);
    assert.deepEqual(await noted('refused'), { 'refusing.example.com/why': 'monday' });
  });

  it('are webhooks that could not be asked and were passed over', async () => {
    const nowhere = {
      clientConfig: { url: 'https://127.0.0.1:1/x', caBundle: world.hook.caBundle },
      failurePolicy: 'Ignore',
    };
    await configure('mutating', 'gone', nowhere);
    await configure('validating', 'away', nowhere);
    assert.equal((await make('alone')).code, 201);
    const who = { configuration: 'gone', webhook: 'gone.example.com' };
    assert.deepEqual(await noted('alone'), {
      'mutation.webhook.admission.k8s.io/round_0_index_0': JSON.stringify({ ...who, mutated: false }),
      'failed-open.mutation.webhook.admission.k8s.io/round_0_index_0': 'gone.example.com',
      'failed-open.validating.webhook.admission.k8s.io/round_0_index_0': 'away.example.com',
    });
  });

  it('are the annotations of a policy under its name, and what it would have refused', async () => {
    await policy({
      validations: [{ expression: "object.metadata.name != 'audited'", message: 'not that name' }],
      auditAnnotations: [
        { key: 'name', valueExpression: "'it is ' + object.metadata.name" },
        { key: 'nothing', valueExpression: 'null' },
        { key: 'blank', valueExpression: "'  '" },
      ],
    });
    assert.equal((await make('audited')).code, 201);
    const { 'validation.policy.admission.k8s.io/validation_failure': failure, ...others } = await noted('audited');
    assert.deepEqual(others, { 'policy/name': 'it is audited' });
    assert.deepEqual(JSON.parse(failure ?? ''), [
      {
        message: 'not that name',
        policy: 'policy',
        binding: 'bound',
        expressionIndex: 0,
        validationActions: ['Audit'],
      },
    ]);
  });

  it('are a reason to refuse where they go wrong, unless the policy passes over what fails', async () => {
    const auditAnnotations = [{ key: 'a', valueExpression: "object.data['none']" }];
    await policy({ auditAnnotations });
    const refused = await make('wrong');
    assert.equal(refused.code, 422);
    assert.match(
      String(refused.json?.['message']),
      /^configmaps "wrong" is forbidden: ValidatingAdmissionPolicy 'policy'/,
    );
    for (const path of made.splice(0)) await admin.send(path, { method: 'DELETE' });
    await policy({ auditAnnotations, failurePolicy: 'Ignore' });
    assert.equal((await make('passed')).code, 201);
    assert.deepEqual(await noted('passed'), {});
  });
});

describe('an audit log of metadata', () => {
  const audit = new AuditRecorder();
  const world = webhookWorld({ identity: { audit: { policy: audit.policy, sink: audit } } });

  it('says that a webhook changed an object, and not how', async () => {
    const { admin, hook } = world;
    hook.answer = () => patching([{ op: 'add', path: '/data', value: { secret: 'value' } }]);
    const clientConfig = { url: `${hook.url}/x`, caBundle: hook.caBundle };
    const webhooks = [
      { name: 'h.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None', clientConfig, rules },
    ];
    await admin.send(`${group}/mutatingwebhookconfigurations`, { body: { metadata: { name: 'h' }, webhooks } });
    assert.equal((await admin.send(configMaps, { body: { metadata: { name: 'plain' } } })).code, 201);
    const { annotations = {} } = await audit.of('create', 'plain');
    assert.ok(annotations['mutation.webhook.admission.k8s.io/round_0_index_0']);
    assert.equal(JSON.stringify(annotations).includes('secret'), false);
  });
});

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { eventually } from '../../../shared/clock/eventually.js';
import type { RawAnswer } from '../../testing/raw-client.js';
import { serverWorld } from '../../testing/server-world.js';

const group = '/apis/admissionregistration.k8s.io/v1';
const core = '/api/v1/namespaces/default';
const merge = { 'content-type': 'application/merge-patch+json' };

describe('admission policies', () => {
  const { admin } = serverWorld();
  const made: string[] = [];
  afterEach(async () => {
    for (const path of made.splice(0)) await admin.send(path, { method: 'DELETE' });
  });

  const send = async (path: string, body: object): Promise<RawAnswer> => {
    const answer = await admin.send(path, { body });
    const { name } = (body as { metadata: { name: string } }).metadata;
    if (answer.code === 201) made.push(`${path}/${name}`);
    return answer;
  };
  const matchConstraints = {
    resourceRules: [{ operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
  };
  const bind = (kind: 'validating' | 'mutating', spec: object, name = 'bound'): Promise<RawAnswer> =>
    send(`${group}/${kind}admissionpolicybindings`, { metadata: { name }, spec: { policyName: 'policy', ...spec } });
  const validating = async (spec: object, binding: object = {}): Promise<RawAnswer> => {
    const body = { metadata: { name: 'policy' }, spec: { matchConstraints, ...spec } };
    const answer = await send(`${group}/validatingadmissionpolicies`, body);
    await bind('validating', { validationActions: ['Deny'], ...binding });
    return answer;
  };
  const mutating = async (mutation: object, more: object = {}): Promise<RawAnswer> => {
    const spec = { matchConstraints, reinvocationPolicy: 'Never', mutations: [mutation], ...more };
    const answer = await send(`${group}/mutatingadmissionpolicies`, { metadata: { name: 'policy' }, spec });
    await bind('mutating', {});
    return answer;
  };
  const make = (name: string, body: object = {}): Promise<RawAnswer> =>
    send(`${core}/configmaps`, { metadata: { name }, ...body });
  const message = ({ json }: RawAnswer): unknown => json?.['message'];
  const denied = (name: string, why: string): string =>
    `configmaps "${name}" is forbidden: ValidatingAdmissionPolicy 'policy' with binding 'bound' denied request: ${why}`;

  it('deny what breaks an expression, with its text, its message, or a message made of the object', async () => {
    await validating({
      validations: [
        { expression: "!has(object.data) || !('a' in object.data)" },
        { expression: "!has(object.data) || !('b' in object.data)", message: 'no b', reason: 'Forbidden' },
        {
          expression: "!has(object.data) || !('c' in object.data)",
          message: 'no c',
          messageExpression: "'no c in ' + object.metadata.name",
        },
      ],
    });
    const plain = await make('x', { data: { a: '' } });
    assert.equal(plain.code, 422);
    assert.equal(plain.json?.['reason'], 'Invalid');
    assert.equal(message(plain), denied('x', "failed expression: !has(object.data) || !('a' in object.data)"));
    const reasoned = await make('x', { data: { b: '' } });
    assert.equal(reasoned.code, 403);
    assert.equal(message(reasoned), denied('x', 'no b'));
    assert.equal(message(await make('x', { data: { c: '' } })), denied('x', 'no c in x'));
    assert.equal((await make('x')).code, 201);
  });

  it('warn where that is the action, and are silent without a binding', async () => {
    await validating({ validations: [{ expression: 'false', message: 'mind' }] }, { validationActions: ['Warn'] });
    const answer = await make('w');
    assert.equal(answer.code, 201);
    assert.equal(
      answer.headers['warning'],
      `299 - "Validation failed for ValidatingAdmissionPolicy 'policy' with binding 'bound': mind"`,
    );
    await admin.send(`${group}/validatingadmissionpolicybindings/bound`, { method: 'DELETE' });
    assert.equal((await make('w2')).headers['warning'], undefined);
  });

  it('know the request, the old object, the namespace and variables', async () => {
    await admin.send('/api/v1/namespaces/default', {
      method: 'PATCH',
      headers: merge,
      body: { metadata: { labels: { tier: 'gold' } } },
    });
    await validating({
      variables: [
        { name: 'who', expression: 'request.userInfo.username' },
        { name: 'isKept', expression: 'object.data.v == oldObject.data.v' },
        {
          name: 'text',
          expression: "variables.who + ' ' + request.operation + ' ' + namespaceObject.metadata.labels.tier",
        },
      ],
      validations: [
        {
          expression: "request.operation != 'UPDATE' || variables.isKept",
          messageExpression: 'variables.text',
        },
      ],
    });
    assert.equal((await make('v', { data: { v: '1' } })).code, 201);
    const update = await admin.send(`${core}/configmaps/v`, {
      method: 'PATCH',
      headers: merge,
      body: { data: { v: '2' } },
    });
    assert.equal(message(update), denied('v', 'kubernetes-admin UPDATE gold'));
  });

  it('ask the authorizer', async () => {
    await validating({
      validations: [
        {
          expression: "authorizer.group('').resource('secrets').namespace('default').check('delete').allowed()",
          message: 'not you',
        },
        { expression: "authorizer.requestResource.check('create').allowed()" },
      ],
    });
    assert.equal((await make('z')).code, 201);
  });

  it('are evaluated with each of their parameters', async () => {
    const path = `${core}/configmaps`;
    await send(path, { metadata: { name: 'limit-1', labels: { limit: '' } }, data: { max: '5' } });
    await send(path, { metadata: { name: 'limit-2', labels: { limit: '' } }, data: { max: '3' } });
    const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['secrets'] }];
    await validating(
      {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        matchConstraints: { resourceRules: rules },
        validations: [
          { expression: 'size(object.data) <= int(params.data.max)', messageExpression: "'max ' + params.data.max" },
        ],
      },
      { paramRef: { selector: { matchLabels: { limit: '' } }, parameterNotFoundAction: 'Deny' } },
    );
    const secret = (count: number): object => ({
      metadata: { name: `s${count}` },
      data: Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'eA=='])),
    });
    assert.equal((await send(`${core}/secrets`, secret(3))).code, 201);
    const four = await send(`${core}/secrets`, secret(4));
    assert.match(String(message(four)), /denied request: max 3$/);
    for (const name of ['limit-1', 'limit-2']) await admin.send(`${path}/${name}`, { method: 'DELETE' });
    const none = await send(`${core}/secrets`, secret(1));
    assert.match(
      String(message(none)),
      /denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction$/,
    );
  });

  it('fail closed or open where an expression has no value', async () => {
    await validating({ validations: [{ expression: 'object.data.missing == "x"' }] });
    const closed = await make('f');
    assert.equal(closed.code, 422);
    assert.match(
      String(message(closed)),
      /expression 'object\.data\.missing == "x"' resulted in error: no such key: data/,
    );
    const open = await admin.send(`${group}/validatingadmissionpolicies/policy`, {
      method: 'PATCH',
      headers: merge,
      body: { spec: { failurePolicy: 'Ignore' } },
    });
    assert.equal(open.code, 200);
    assert.equal((await make('f')).code, 201);
  });

  it('are counted by what they checked and what followed', async () => {
    const counted = async (error: string, action: string): Promise<number> => {
      const { text } = await admin.send('/metrics');
      const labels = `policy="policy",policy_binding="counted",error_type="${error}",enforcement_action="${action}"`;
      const name = 'apiserver_validating_admission_policy_check_total';
      return Number(new RegExp(`^${name}\\{${labels}\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
    };
    const spec = {
      matchConstraints,
      failurePolicy: 'Ignore',
      validations: [{ expression: 'object.data.missing == "x"' }, { expression: 'false' }],
    };
    await send(`${group}/validatingadmissionpolicies`, { metadata: { name: 'policy' }, spec });
    await bind('validating', { validationActions: ['Warn', 'Audit'] }, 'counted');
    assert.equal((await make('c')).code, 201);
    const counts = [counted('invalid_error', 'allow'), counted('no_error', 'warn'), counted('no_error', 'audit')];
    assert.deepEqual(await Promise.all(counts), [1, 1, 1]);
    assert.equal(await counted('no_error', 'deny'), 0);
  });

  it('are narrowed by match conditions and bindings', async () => {
    await validating(
      {
        matchConditions: [{ name: 'not-skipped', expression: "!object.metadata.name.startsWith('skip')" }],
        validations: [{ expression: 'false' }],
      },
      { matchResources: { objectSelector: { matchLabels: { checked: 'yes' } } } },
    );
    const labels = { checked: 'yes' };
    assert.equal((await make('plain')).code, 201);
    assert.equal((await send(`${core}/configmaps`, { metadata: { name: 'skip-me', labels } })).code, 201);
    assert.equal((await send(`${core}/configmaps`, { metadata: { name: 'seen', labels } })).code, 422);
  });

  it('are refused where an expression is wrong', async () => {
    const answer = await validating({
      validations: [{ expression: 'object.' }, { expression: '1 + 1' }, { expression: 'variables.none' }],
    });
    assert.equal(answer.code, 422);
    const causes =
      (answer.json?.['details'] as { causes: { field: string; message: string }[] } | undefined)?.causes ?? [];
    assert.deepEqual(
      causes.map(({ field }) => field),
      ['spec.validations[0].expression', 'spec.validations[1].expression', 'spec.validations[2].expression'],
    );
    assert.match(causes[0]?.message ?? '', /^Invalid value: "object\.": compilation failed: ERROR: <input>:1:8/);
    assert.equal(causes[1]?.message, 'Invalid value: "1 + 1": must evaluate to bool but got int');
  });

  it('tell in their status which expressions do not fit the types of what they match', async () => {
    const rules = [{ operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }];
    const answer = await validating({
      matchConstraints: { resourceRules: rules },
      validations: [
        { expression: "object.spec.replicas > '1'" },
        { expression: 'object.spec.replicas > 1 && object.metadata.name.startsWith("a")' },
      ],
    });
    assert.equal(answer.code, 201, answer.text);
    await eventually(async () => {
      const { json } = await admin.send(`${group}/validatingadmissionpolicies/policy`);
      const status = json?.['status'] as {
        observedGeneration: number;
        typeChecking: { expressionWarnings: { fieldRef: string; warning: string }[] };
      };
      assert.equal(status.observedGeneration, 1);
      const [warning, ...others] = status.typeChecking.expressionWarnings;
      assert.deepEqual(others, []);
      assert.equal(warning?.fieldRef, 'spec.validations[0].expression');
      assert.match(
        warning.warning,
        /^apps\/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '\(int, string\)'/,
      );
    });
  });

  it('change objects by apply configurations, which merge lists by their keys', async () => {
    const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
    await mutating(
      {
        patchType: 'ApplyConfiguration',
        applyConfiguration: {
          expression:
            'Object{metadata: Object.metadata{labels: {"made": "yes"}}, spec: Object.spec{initContainers: [Object.spec.initContainers{name: "mesh", image: "proxy", restartPolicy: "Always"}]}}',
        },
      },
      { matchConstraints: { resourceRules: rules } },
    );
    const pod = await send(`${core}/pods`, {
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'i' }], initContainers: [{ name: 'first', image: 'i' }] },
    });
    assert.equal(pod.code, 201, pod.text);
    const { spec, metadata } = pod.json as unknown as {
      spec: { initContainers: { name: string; terminationMessagePath?: string }[] };
      metadata: { labels: object };
    };
    assert.deepEqual(
      spec.initContainers.map(({ name, terminationMessagePath }) => [name, terminationMessagePath]),
      [
        ['first', '/dev/termination-log'],
        ['mesh', '/dev/termination-log'],
      ],
    );
    assert.deepEqual(metadata.labels, { made: 'yes' });
  });

  it('change objects by JSON patches', async () => {
    await mutating({
      patchType: 'JSONPatch',
      jsonPatch: {
        expression:
          'has(object.metadata.annotations) ? [] : [JSONPatch{op: "add", path: "/metadata/annotations", value: {}}, JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("example.com/a"), value: "b"}]',
      },
    });
    const answer = await make('j');
    assert.equal(answer.code, 201, answer.text);
    assert.deepEqual((answer.json?.['metadata'] as { annotations: object } | undefined)?.annotations, {
      'example.com/a': 'b',
    });
  });

  it('refuse the request where a mutation cannot be made', async () => {
    await mutating({
      patchType: 'ApplyConfiguration',
      applyConfiguration: { expression: 'Object{metadata: Object.metadata{name: "other"}}' },
    });
    assert.match(
      String(message(await make('m'))),
      /policy 'policy' with binding 'bound' denied request: may not mutate apiVersion/,
    );
  });
});

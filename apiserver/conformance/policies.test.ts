import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const group = '/apis/admissionregistration.k8s.io/v1';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const matchConstraints = {
  resourceRules: [{ operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }],
};

describe('policies about Deployments', () => {
  const { admin } = serverWorld();
  let count = 0;
  const make = (replicas: number): Promise<RawAnswer> =>
    admin.send(deployments, {
      body: {
        metadata: { name: `d-${count++}` },
        spec: {
          replicas,
          selector: { matchLabels: { a: 'b' } },
          template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
        },
      },
    });
  const enforce = async (
    kind: 'validating' | 'mutating',
    name: string,
    spec: object,
    binding: object = {},
  ): Promise<void> => {
    const made = await admin.send(`${group}/${kind}admissionpolicies`, {
      body: { metadata: { name }, spec: { matchConstraints, ...spec } },
    });
    assert.equal(made.code, 201, made.text);
    const bound = await admin.send(`${group}/${kind}admissionpolicybindings`, {
      body: { metadata: { name }, spec: { policyName: name, ...binding } },
    });
    assert.equal(bound.code, 201, bound.text);
  };

  it('a validating policy refuses a Deployment by its replicas', async () => {
    const validations = [
      {
        expression: 'object.spec.replicas > 1',
        messageExpression: "'wants more than ' + string(object.spec.replicas)",
      },
    ];
    await enforce('validating', 'many', { validations }, { validationActions: ['Deny'] });
    await eventually(async () => {
      const refused = await make(1);
      assert.equal(refused.code, 422, refused.text);
      assert.match(refused.text, /wants more than 1/);
    });
    assert.equal((await make(2)).code, 201);
  });

  it('a mutating policy annotates a Deployment, and changes its replicas', async () => {
    const mutation = (expression: string): object => ({
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
    });
    await enforce(
      'mutating',
      'annotating',
      mutation('Object{metadata: Object.metadata{annotations: {"mutated-by": "policy"}}}'),
    );
    await enforce('mutating', 'scaling', mutation('Object{spec: Object.spec{replicas: 1337}}'));
    await eventually(async () => {
      const { code, json, text } = await make(2);
      assert.equal(code, 201, text);
      const { metadata, spec } = json as unknown as {
        metadata: { annotations?: Record<string, string> };
        spec: { replicas: number };
      };
      assert.deepEqual([metadata.annotations?.['mutated-by'], spec.replicas], ['policy', 1337]);
    });
  });
});

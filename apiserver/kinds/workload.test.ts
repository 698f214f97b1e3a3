import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, ReplicaSet } from '../../shared/api/generated/types.js';
import { deploymentDefinition } from './deployment.js';
import { replicaSetDefinition } from './replicaset.js';
import { createErrors, meta, updateErrors } from './testing.js';

const selector = { matchLabels: { app: 'web' } };
const template = () => ({ metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } });
const deployment = (spec: Partial<NonNullable<Deployment['spec']>> = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta('web'),
  spec: { selector, template: template(), ...spec },
});

test('a minimal deployment gets the defaults of the original', () => {
  const given = deployment();
  assert.deepEqual(createErrors(deploymentDefinition, given), []);
  assert.equal(given.spec?.replicas, 1);
  assert.equal(given.spec?.revisionHistoryLimit, 10);
  assert.equal(given.spec?.progressDeadlineSeconds, 600);
  assert.deepEqual(given.spec?.strategy, {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
  });
  assert.equal(given.spec?.template.spec.restartPolicy, 'Always');
  // A template stays free of what only a pod has.
  assert.equal(given.spec?.template.spec.enableServiceLinks, undefined);
});

test('a deployment that breaks a rule is told which', () => {
  const table: [string, Partial<NonNullable<Deployment['spec']>>, string[]][] = [
    ['negative', { replicas: -1 }, ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
    [
      'empty selector',
      { selector: {} },
      ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    [
      'selector of others',
      { selector: { matchLabels: { app: 'db' } } },
      ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    ],
    [
      'recreate with a rolling update',
      { strategy: { type: 'Recreate', rollingUpdate: {} } },
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      'no way to roll',
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
    ],
    [
      'percentages',
      { strategy: { rollingUpdate: { maxSurge: 'many', maxUnavailable: '120%' } } },
      [
        "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"many\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "120%": must not be greater than 100%',
      ],
    ],
    [
      'deadline',
      { progressDeadlineSeconds: 5, minReadySeconds: 5 },
      ['spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds'],
    ],
    [
      'template',
      { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [], restartPolicy: 'Never' } } },
      [
        'spec.template.spec.containers: Required value',
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      ],
    ],
  ];
  for (const [title, spec, expected] of table)
    assert.deepEqual(createErrors(deploymentDefinition, deployment(spec)), expected, title);
});

test('a deployment without a spec is refused, not a crash', () => {
  const bare = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta('web') } as Deployment;
  const errors = createErrors(deploymentDefinition, bare);
  assert.ok(errors.includes('spec.selector: Required value'));
  assert.ok(errors.includes('spec.template.spec.containers: Required value'));
});

test('the selector of a workload is immutable', () => {
  const expected = ['spec.selector: Invalid value: {"matchLabels":{"app":"web","v":"2"}}: field is immutable'];
  const change = (object: Deployment | ReplicaSet): void => {
    if (!object.spec) return;
    object.spec.selector = { matchLabels: { app: 'web', v: '2' } };
    object.spec.template = { ...template(), metadata: { labels: { app: 'web', v: '2' } } };
  };
  assert.deepEqual(updateErrors(deploymentDefinition, deployment(), change), expected);
  const replicaSet: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: meta('web'),
    spec: { selector, template: template() },
  };
  assert.deepEqual(updateErrors(replicaSetDefinition, replicaSet, change), expected);
});

test('an update keeps the status, a status update keeps the spec', () => {
  const old = deployment({ replicas: 3 });
  old.status = { replicas: 3 };
  const next = deployment({ replicas: 5 });
  next.status = { replicas: 9 };
  deploymentDefinition.strategy.prepareForUpdate?.(next, old);
  assert.deepEqual(next.status, { replicas: 3 });
  next.status = { replicas: 4 };
  deploymentDefinition.strategy.prepareForStatusUpdate?.(next, old);
  assert.equal(next.spec?.replicas, 3);
});

test('what is hardly meant is warned of', () => {
  const given = deployment({
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        nodeSelector: { 'beta.kubernetes.io/os': 'linux' },
        containers: [
          {
            name: 'c',
            image: 'x:1',
            env: [
              { name: 'A', value: 'a' },
              { name: 'A', value: 'b' },
              { name: 'A', value: '$(A)c' },
            ],
            resources: { limits: { memory: '100m' } },
          },
        ],
      },
    },
  });
  assert.deepEqual(deploymentDefinition.strategy.warnings?.(given), [
    'spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
    'spec.template.spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer',
    'spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
  ]);
});

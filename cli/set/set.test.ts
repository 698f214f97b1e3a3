import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FoundObject } from '../found-objects.js';
import { changedEnv, envFromKeys, parseEnvChanges } from './env.js';
import { imagePatch } from './image.js';
import { parseQuantities, resourcesPatch } from './resources.js';

const target = (kind: string, spec: object): FoundObject =>
  ({
    type: { kind, group: 'apps', version: 'v1' },
    name: 'web',
    namespace: 'default',
    object: { kind, spec },
  }) as unknown as FoundObject;
const containers = [
  { name: 'a', image: 'x:1' },
  { name: 'b', image: 'y:1' },
];
const deployment = target('Deployment', {
  template: { spec: { containers, initContainers: [{ name: 'i', image: 'x:1' }] } },
});

test('set image changes the named containers, in the place where each kind keeps its pods', () => {
  assert.deepEqual(imagePatch(deployment, new Map([['a', 'x:2']])), {
    spec: { template: { spec: { containers: [{ name: 'a', image: 'x:2' }] } } },
  });
  assert.deepEqual(imagePatch(target('Pod', { containers }), new Map([['b', 'y:2']])), {
    spec: { containers: [{ name: 'b', image: 'y:2' }] },
  });
  const cronJob = target('CronJob', { jobTemplate: { spec: { template: { spec: { containers } } } } });
  assert.deepEqual(imagePatch(cronJob, new Map([['a', 'x:2']])), {
    spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: 'a', image: 'x:2' }] } } } } },
  });
});

test('set image says nothing where nothing changes, and refuses a container that is not there', () => {
  assert.equal(imagePatch(deployment, new Map([['a', 'x:1']])), undefined);
  assert.throws(() => imagePatch(deployment, new Map([['c', 'x:1']])), /unable to find container named "c"/);
  assert.throws(() => imagePatch(target('ConfigMap', {}), new Map([['a', 'x']])), /does not have a pod template/);
});

test('set env keeps the order of what is there and adds the rest at the end', () => {
  const { targets, changes } = parseEnvChanges(['deploy/web', 'B=2', 'C=x=y', 'A-']);
  assert.deepEqual(targets, ['deploy/web']);
  const before = [
    { name: 'A', value: '1' },
    { name: 'B', value: '1' },
    { name: 'D', value: '4' },
  ];
  assert.deepEqual(changedEnv(before, changes), [
    { name: 'B', value: '2' },
    { name: 'D', value: '4' },
    { name: 'C', value: 'x=y' },
  ]);
  assert.equal(changedEnv(before, { set: [{ name: 'B', value: '1' }], remove: ['Z'] }), undefined);
  assert.throws(() => changedEnv(before, changes, false), /'B' already has a value \(1\), and --overwrite is false/);
});

test('variables from a ConfigMap or Secret name its keys', () => {
  const [variable] = envFromKeys({ kind: 'Secret', name: 's', keys: ['log.level'] }, 'APP_');
  assert.deepEqual(variable, { name: 'APP_LOG_LEVEL', valueFrom: { secretKeyRef: { key: 'log.level', name: 's' } } });
});

test('set resources changes only the list that is given', () => {
  const changes = { limits: parseQuantities(['cpu=200m', 'memory=1Gi']), requests: {} };
  assert.deepEqual(resourcesPatch(deployment, changes, 'a'), {
    spec: {
      template: { spec: { containers: [{ name: 'a', resources: { limits: { cpu: '200m', memory: '1Gi' } } }] } },
    },
  });
  assert.throws(() => parseQuantities(['cpu']), /expected <resource>=<value>/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cloneJson, type JsonObject } from '../../shared/api/json.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { refusal } from '../../shared/errors/testing/refusal.js';
import { loadSchemas } from '../schema/schemas.js';
import type { FieldSet } from './field-set.js';
import type { ManagedFieldsEntry } from './managed-fields.js';
import { serverSideApply, type ApplyOptions } from './server-side-apply.js';
import { trackUpdate } from './track-update.js';

const schemas = loadSchemas();
const deploymentType = schemas.type('io.k8s.api.apps.v1.Deployment');
const configMapType = schemas.type('io.k8s.api.core.v1.ConfigMap');

const deployment = (spec: object, metadata: object = {}): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default', ...metadata },
  spec,
});
const containers = (...list: object[]): object => ({ template: { spec: { containers: list } } });
const options = (manager: string, extra: Partial<ApplyOptions> = {}): ApplyOptions => ({
  manager,
  apiVersion: 'apps/v1',
  subresource: '',
  time: '2026-01-01T00:00:00Z',
  force: false,
  ...extra,
});
const stored = (object: JsonObject, managedFields: readonly ManagedFieldsEntry[]): JsonObject => ({
  ...object,
  metadata: { ...(object['metadata'] as JsonObject), managedFields: cloneJson(managedFields) },
});
function create(object: JsonObject, manager: string, extra: Partial<ApplyOptions> = {}): JsonObject {
  return stored(object, trackUpdate(undefined, object, deploymentType, options(manager, extra)));
}
function apply(
  live: JsonObject | undefined,
  config: JsonObject,
  manager: string,
  extra: Partial<ApplyOptions> = {},
): JsonObject {
  const { object, managedFields } = serverSideApply(live, config, deploymentType, options(manager, extra));
  return stored(object, managedFields);
}
const entries = (object: JsonObject): ManagedFieldsEntry[] =>
  (object['metadata'] as { managedFields: ManagedFieldsEntry[] }).managedFields;
const fieldsOf = (object: JsonObject, manager: string): unknown =>
  entries(object).find((entry) => entry.manager === manager)?.fieldsV1;

test('a create owns what it set, marked as kubectl shows it', () => {
  const object = deployment(
    {
      replicas: 1,
      selector: { matchLabels: { app: 'a' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } },
      template: {
        metadata: { labels: { app: 'a' } },
        spec: {
          containers: [{ name: 'c', image: 'i', resources: {}, ports: [{ containerPort: 80 }], args: ['x'] }],
          securityContext: {},
          volumes: [{ name: 'v', emptyDir: {} }],
        },
      },
    },
    { labels: { app: 'a' }, uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' },
  );
  assert.deepEqual(trackUpdate(undefined, object, deploymentType, options('kubectl-create')), [
    {
      manager: 'kubectl-create',
      operation: 'Update',
      apiVersion: 'apps/v1',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': {
          'f:replicas': {},
          'f:selector': {},
          'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} }, 'f:type': {} },
          'f:template': {
            'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
            'f:spec': {
              'f:containers': {
                'k:{"name":"c"}': {
                  '.': {},
                  'f:args': {},
                  'f:image': {},
                  'f:name': {},
                  'f:ports': {
                    '.': {},
                    'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} },
                  },
                  'f:resources': {},
                },
              },
              'f:securityContext': {},
              'f:volumes': { '.': {}, 'k:{"name":"v"}': { '.': {}, 'f:emptyDir': {}, 'f:name': {} } },
            },
          },
        },
      },
    },
  ]);
});

test('an update moves ownership and its time moves only when it takes something', () => {
  const live = create(deployment({ replicas: 1, paused: true }), 'a');
  const next = { ...live, spec: { replicas: 2, paused: true } };
  const scaled = stored(next, trackUpdate(live, next, deploymentType, options('b', { time: '2026-01-02T00:00:00Z' })));
  assert.deepEqual(fieldsOf(scaled, 'a'), { 'f:spec': { 'f:paused': {} } });
  assert.deepEqual(fieldsOf(scaled, 'b'), { 'f:spec': { 'f:replicas': {} } });
  const again = trackUpdate(scaled, cloneJson(scaled), deploymentType, options('b', { time: '2026-01-03T00:00:00Z' }));
  assert.deepEqual(again, entries(scaled));
  const removed = { ...scaled, spec: { paused: true } };
  const after = trackUpdate(scaled, removed, deploymentType, options('c', { time: '2026-01-04T00:00:00Z' }));
  assert.deepEqual(
    after.map(({ manager }) => manager),
    ['a'],
  );
});

test('a client that sends no managedFields does not lose them, [{}] resets them, and edits count', () => {
  const live = create(deployment({ replicas: 1 }), 'a');
  const without = deployment({ replicas: 1 });
  assert.deepEqual(trackUpdate(live, without, deploymentType, options('b')), entries(live));
  const reset = stored(without, [{} as ManagedFieldsEntry]);
  assert.deepEqual(trackUpdate(live, reset, deploymentType, options('b')), []);
  const nonsense = stored(without, [{ manager: 'x', operation: 'Nope' } as unknown as ManagedFieldsEntry]);
  assert.deepEqual(trackUpdate(live, nonsense, deploymentType, options('b')), entries(live));
  const [entry] = entries(live);
  const edited = stored(without, [{ ...entry, manager: 'z' } as ManagedFieldsEntry]);
  assert.deepEqual(
    trackUpdate(live, edited, deploymentType, options('b')).map(({ manager }) => manager),
    ['z'],
  );
});

test('an object that nobody tracks stays untracked until it is applied', () => {
  const live = deployment({ replicas: 1 });
  assert.deepEqual(trackUpdate(live, deployment({ replicas: 2 }), deploymentType, options('b')), []);
  const applied = apply(live, deployment({ paused: true }), 'c');
  assert.deepEqual(
    entries(applied).map(({ manager, operation }) => `${manager} ${operation}`),
    ['c Apply', 'before-first-apply Update'],
  );
});

test('more than ten updaters are merged into ancient-changes, oldest first', () => {
  let live = create(deployment({ replicas: 1 }), 'first');
  for (let i = 0; i < 14; i++) {
    const next = {
      ...live,
      metadata: { ...(live['metadata'] as JsonObject), labels: { ...labelsOf(live), [`l${i}`]: 'x' } },
    };
    const time = `2026-01-01T00:01:${String(i).padStart(2, '0')}Z`;
    live = stored(next, trackUpdate(live, next, deploymentType, options(`m${i}`, { time })));
  }
  const managers = entries(live).map(({ manager }) => manager);
  assert.equal(managers.length, 10);
  assert.equal(managers[0], 'ancient-changes');
  assert.deepEqual(
    managers.slice(1),
    Array.from({ length: 9 }, (_, i) => `m${i + 5}`),
  );
  const ancient = fieldsOf(live, 'ancient-changes') as { 'f:metadata': { 'f:labels': object }; 'f:spec': object };
  assert.deepEqual(Object.keys(ancient['f:metadata']['f:labels']).sort(), [
    '.',
    'f:l0',
    'f:l1',
    'f:l2',
    'f:l3',
    'f:l4',
  ]);
  assert.deepEqual(ancient['f:spec'], { 'f:replicas': {} });
});
const labelsOf = (object: JsonObject): object => (object['metadata'] as { labels?: object }).labels ?? {};

test('an apply creates, owns its leaves, and applies again without a change', () => {
  const config = deployment({ replicas: 1, ...containers({ name: 'a', image: 'x' }) }, { labels: { l: '1' } });
  const live = apply(undefined, config, 'me');
  assert.deepEqual(fieldsOf(live, 'me'), {
    'f:metadata': { 'f:labels': { 'f:l': {} } },
    'f:spec': {
      'f:replicas': {},
      'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:image': {}, 'f:name': {} } } } },
    },
  });
  const again = serverSideApply(live, config, deploymentType, options('me', { time: '2027-01-01T00:00:00Z' }));
  assert.equal(again.isChanged, false);
  assert.equal(again.object, live);
});

test('what an applier drops goes, unless somebody else owns it', () => {
  const config = deployment(
    { replicas: 1, paused: true, ...containers({ name: 'a', image: 'x' }, { name: 'b', image: 'y' }) },
    { labels: { one: '1', two: '2' } },
  );
  const live = apply(undefined, config, 'me');
  const shared = apply(live, deployment({ paused: true }, { labels: { two: '2' } }), 'you');
  const next = apply(
    shared,
    deployment({ ...containers({ name: 'a', image: 'x' }) }, { labels: { three: '3' } }),
    'me',
  );
  assert.deepEqual(next['spec'], { paused: true, ...containers({ name: 'a', image: 'x' }) });
  assert.deepEqual(labelsOf(next), { two: '2', three: '3' });
});

test('a manager whose entry claims metadata cannot drop what the server keeps there', () => {
  const config = deployment({ replicas: 2 });
  const live = apply(undefined, config, 'me');
  const claims: FieldSet[] = [
    {},
    { '.': {}, 'f:annotations': {} },
    { 'f:name': {}, 'f:annotations': { 'f:gone': {} } },
  ];
  for (const metadata of claims) {
    const claimed = entries(live).map((entry) => ({ ...entry, fieldsV1: { 'f:metadata': metadata } }));
    const next = apply(
      stored({ ...live, metadata: { ...(config['metadata'] as JsonObject), annotations: { gone: 'x' } } }, claimed),
      config,
      'me',
    );
    assert.equal((next['metadata'] as JsonObject)['name'], 'web');
  }
});

test('a dropped list item takes what the server filled into it along', () => {
  const live = apply(undefined, deployment(containers({ name: 'a' }, { name: 'b' })), 'me');
  const defaulted = { ...live, spec: containers({ name: 'a' }, { name: 'b', imagePullPolicy: 'Always' }) };
  const next = apply(defaulted, deployment(containers({ name: 'a' })), 'me');
  assert.deepEqual(next['spec'], containers({ name: 'a' }));
});

test('a conflict is a 409 that names field and manager', () => {
  const live = create(deployment({ replicas: 1, paused: true }), 'kubectl-client-side-apply');
  const one = refusal(() => apply(live, deployment({ replicas: 2 }), 'me'));
  assert.equal(one.code, 409);
  assert.equal(one.reason, 'Conflict');
  assert.equal(
    one.message,
    'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
  );
  assert.deepEqual(one.details?.causes, [
    {
      reason: 'FieldManagerConflict',
      message: 'conflict with "kubectl-client-side-apply" using apps/v1',
      field: '.spec.replicas',
    },
  ]);
  const two = refusal(() => apply(live, deployment({ replicas: 2, paused: false }), 'me'));
  assert.equal(
    two.message,
    'Apply failed with 2 conflicts: conflicts with "kubectl-client-side-apply" using apps/v1:\n- .spec.paused\n- .spec.replicas',
  );
  const appliers = apply(undefined, deployment(containers({ name: 'a', image: 'x' })), 'other');
  assert.equal(
    refusal(() => apply(appliers, deployment(containers({ name: 'a', image: 'y' })), 'me')).message,
    'Apply failed with 1 conflict: conflict with "other": .spec.template.spec.containers[name="a"].image',
  );
});

test('the same value is shared, and force takes the field', () => {
  const live = create(deployment({ replicas: 1, paused: true }), 'a');
  const shared = apply(live, deployment({ replicas: 1 }), 'b');
  assert.deepEqual(fieldsOf(shared, 'a'), { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } });
  assert.deepEqual(fieldsOf(shared, 'b'), { 'f:spec': { 'f:replicas': {} } });
  const forced = apply(live, deployment({ replicas: 5 }), 'b', { force: true });
  assert.deepEqual(forced['spec'], { replicas: 5, paused: true });
  assert.deepEqual(fieldsOf(forced, 'a'), { 'f:spec': { 'f:paused': {} } });
});

test('the order of the configuration holds, other items stay where they were', () => {
  const live = create(deployment(containers({ name: 'x' }, { name: 'a' }, { name: 'y' }, { name: 'b' })), 'server');
  const next = apply(live, deployment(containers({ name: 'b' }, { name: 'n' }, { name: 'a' })), 'me');
  const names = (next['spec'] as { template: { spec: { containers: { name: string }[] } } }).template.spec.containers;
  assert.deepEqual(
    names.map(({ name }) => name),
    ['x', 'b', 'n', 'a', 'y'],
  );
});

test('configurations that do not fit are a 400', () => {
  const message = (config: JsonObject): string => {
    const error = refusal(() => apply(undefined, config, 'me'));
    assert.equal(error.code, 400);
    return error.message;
  };
  assert.equal(
    message(deployment({ foo: 1 })),
    'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema',
  );
  assert.match(
    message(deployment(containers({ image: 'x' }))),
    /omits key field "name" \(and doesn't have default value\)/,
  );
  assert.match(message(deployment(containers({ name: 'a' }, { name: 'a' }))), /duplicate entries for key \[name="a"\]/);
  assert.match(message(deployment({ replicas: 'x' })), /cannot unmarshal string/);
  assert.match(
    message({ ...deployment({}), apiVersion: 'apps/v1beta1' }),
    /Incorrect version .* apps\/v1beta1, expected: apps\/v1/,
  );
  assert.equal(message(deployment({}, { managedFields: [] })), 'metadata.managedFields must be nil');
});

test('fields that a path of writing resets are not owned', () => {
  const config = { ...deployment({ replicas: 1 }), status: { replicas: 1 } };
  const live = apply(undefined, config, 'me', { resetFields: ['status'] });
  assert.deepEqual(fieldsOf(live, 'me'), { 'f:spec': { 'f:replicas': {} } });
  const status = apply(live, { ...deployment({}), status: { replicas: 1 } }, 'me', {
    subresource: 'status',
    resetFields: ['spec'],
  });
  assert.equal(entries(status).length, 2);
  assert.equal(entries(status).find(({ subresource }) => subresource === 'status')?.manager, 'me');
});

test('a configuration owns what it sets to nothing: nulls and empty maps', () => {
  const live = create(deployment({ replicas: 1 }), 'a');
  const config = deployment({ paused: null, template: { spec: { containers: [], nodeSelector: {} } } }, { labels: {} });
  const next = apply(live, config, 'me');
  assert.deepEqual(fieldsOf(next, 'me'), {
    'f:metadata': { 'f:labels': {} },
    'f:spec': { 'f:paused': {}, 'f:template': { 'f:spec': { 'f:nodeSelector': {} } } },
  });
  assert.deepEqual((next['spec'] as JsonObject)['paused'], undefined);
  const nothing = apply(live, deployment({ replicas: null }), 'me', { force: true });
  assert.deepEqual(nothing['spec'], {});
  assert.equal(fieldsOf(nothing, 'a'), undefined);
});

test('values are compared as they were sent, and stored as the server writes them', () => {
  const limits = (cpu: string): JsonObject => deployment(containers({ name: 'c', resources: { limits: { cpu } } }));
  const live = create(limits('1'), 'a');
  assert.match(refusal(() => apply(live, limits('1000m'), 'me')).message, /conflict with "a" .*limits\.cpu/);
  const forced = apply(live, limits('1000m'), 'me', { force: true });
  assert.deepEqual(forced['spec'], limits('1')['spec']);
  assert.equal(serverSideApply(forced, limits('1000m'), deploymentType, options('me')).isChanged, false);
});

/** A model of apply on a flat map of strings: who owns which key. */
interface Model {
  readonly data: Map<string, string>;
  readonly owners: Map<string, Set<string>>;
}
function applyToModel(
  model: Model,
  manager: string,
  config: Record<string, string>,
  force: boolean,
): 'conflict' | undefined {
  const isOwnedByOthers = (key: string): boolean =>
    [...model.owners].some(([name, keys]) => name !== manager && keys.has(key));
  const changes = Object.entries(config).filter(([key, value]) => model.data.get(key) !== value);
  if (!force && changes.some(([key]) => isOwnedByOthers(key))) return 'conflict';
  for (const key of model.owners.get(manager) ?? []) {
    if (!Object.hasOwn(config, key) && !isOwnedByOthers(key)) model.data.delete(key);
  }
  for (const [key, value] of changes) {
    model.data.set(key, value);
    for (const keys of model.owners.values()) keys.delete(key);
  }
  model.owners.set(manager, new Set(Object.keys(config)));
  return undefined;
}

test('agrees with a simple model of ownership over any sequence of applies', () => {
  const key = fc.constantFrom('a', 'b', 'c', '__proto__');
  const config = fc.dictionary(key, fc.constantFrom('1', '2'), { maxKeys: 4, noNullPrototype: true });
  const step = fc.record({ manager: fc.constantFrom('m1', 'm2', 'm3'), config, force: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const model: Model = { data: new Map(), owners: new Map() };
      let live: JsonObject | undefined;
      for (const { manager, config: data, force } of steps) {
        // An empty map would be owned itself.
        const content = Object.keys(data).length === 0 ? {} : { data };
        const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, ...content };
        const expected = applyToModel(model, manager, data, force);
        try {
          const result = serverSideApply(live, object, configMapType, { ...options(manager), apiVersion: 'v1', force });
          assert.equal(expected, undefined);
          live = stored(result.object, result.managedFields);
        } catch (error) {
          assert.ok(error instanceof StatusError && error.code === 409, String(error));
          assert.equal(expected, 'conflict');
        }
        assert.deepEqual(new Map(Object.entries((live?.['data'] ?? {}) as object)), model.data);
      }
    }),
    { numRuns: 400 },
  );
});

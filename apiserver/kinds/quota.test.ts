import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  LimitRange,
  LimitRangeItem,
  PodTemplate,
  ReplicationController,
  ResourceQuota,
  ResourceQuotaSpec,
  RuntimeClass,
} from '../../shared/api/generated/types.js';
import { limitRangeDefinition } from './limitrange.js';
import { podTemplateDefinition } from './podtemplate.js';
import { replicationControllerDefinition } from './replicationcontroller.js';
import { resourceQuotaDefinition } from './resourcequota.js';
import { runtimeClassDefinition } from './runtimeclass.js';
import { createErrors, meta, row, updateErrors } from './testing.js';

const NOW = Date.parse('2024-01-01T00:05:00Z');
const limits = (...items: LimitRangeItem[]): LimitRange => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: meta('l'),
  spec: { limits: items },
});
const quota = (spec: ResourceQuotaSpec): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: meta('q'),
  spec,
});

test('limits of containers follow from each other where they are left out', () => {
  const given = limits({ type: 'Container', max: { cpu: '2000m' }, min: { cpu: '100m', memory: '1Gi' } });
  limitRangeDefinition.strategy.defaults?.(given);
  const once = structuredClone(given);
  assert.deepEqual(given.spec.limits[0], {
    type: 'Container',
    max: { cpu: '2' },
    min: { cpu: '100m', memory: '1Gi' },
    default: { cpu: '2' },
    defaultRequest: { memory: '1Gi', cpu: '2' },
  });
  limitRangeDefinition.strategy.defaults?.(given);
  assert.deepEqual(given, once);
  assert.deepEqual(row(limitRangeDefinition, given, NOW), { Name: 'l', 'Created At': '2024-01-01T00:00:00Z' });
});

test('limits that contradict each other are refused', () => {
  const table: [LimitRangeItem, string[]][] = [
    [
      { type: 'Pod', min: { cpu: '2' }, max: { cpu: '1' }, default: { cpu: '1' } },
      [
        "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
        'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      ],
    ],
    [
      { type: 'Container', defaultRequest: { cpu: '2' }, default: { cpu: '1' } },
      [
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than default limit value 1',
      ],
    ],
    [
      { type: 'PersistentVolumeClaim', max: { cpu: '1' } },
      [
        'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
      ],
    ],
    [
      { type: 'Planet' },
      ['spec.limits[0].type: Invalid value: "Planet": must be a standard limit type or fully qualified'],
    ],
    [
      { type: 'Pod', max: { pods: '1' } },
      ['spec.limits[0].max[pods]: Invalid value: "pods": must be a standard resource for containers'],
    ],
    [
      {
        type: 'Pod',
        min: { memory: '1Gi' },
        max: { memory: '2Gi' },
        maxLimitRequestRatio: { memory: '3', cpu: '500m' },
      },
      [
        'spec.limits[0].maxLimitRequestRatio[memory]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000',
        'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
      ],
    ],
  ];
  for (const [item, expected] of table) assert.deepEqual(createErrors(limitRangeDefinition, limits(item)), expected);
  assert.deepEqual(createErrors(limitRangeDefinition, limits({ type: 'Pod' }, { type: 'Pod' })), [
    'spec.limits[1].type: Duplicate value: "Pod"',
  ]);
});

test('a quota counts what can be counted, within scopes that fit', () => {
  const table: [ResourceQuotaSpec, string[]][] = [
    [{ hard: { pods: '10', 'count/deployments.apps': '2', 'requests.example.com/gpu': '1', 'limits.cpu': '2' } }, []],
    [{ hard: { pods: '1500m' } }, ['spec.hard[pods]: Invalid value: "1500m": must be an integer']],
    [
      { hard: { storage: '1' } },
      ['spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota'],
    ],
    [
      { hard: { planets: '1' } },
      [
        'spec.hard[planets]: Invalid value: "planets": must be a standard resource type or fully qualified',
        'spec.hard[planets]: Invalid value: "planets": must be a standard resource for quota',
      ],
    ],
    [
      { hard: { secrets: '1' }, scopes: ['Terminating', 'NotTerminating'] },
      [
        'spec.scopes: Invalid value: ["Terminating","NotTerminating"]: unsupported scope applied to resource',
        'spec.scopes: Invalid value: ["Terminating","NotTerminating"]: unsupported scope applied to resource',
        'spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes',
      ],
    ],
    [
      { hard: { pods: '1' }, scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In' }] } },
      [
        "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      ],
    ],
  ];
  for (const [spec, expected] of table)
    assert.deepEqual(createErrors(resourceQuotaDefinition, quota(spec)), expected, JSON.stringify(spec));
  assert.deepEqual(
    updateErrors(resourceQuotaDefinition, quota({ hard: { pods: '1' }, scopes: ['BestEffort'] }), ({ spec }) => {
      spec.scopes = [];
    }),
    ['spec.scopes: Invalid value: []: field is immutable'],
  );
});

test('a quota is shown by what is used of it', () => {
  const given = quota({});
  given.status = { hard: { pods: '10', 'limits.cpu': '4', cpu: '2' }, used: { pods: '3', 'limits.cpu': '1500m' } };
  assert.deepEqual(row(resourceQuotaDefinition, given, NOW), {
    Name: 'q',
    Request: 'cpu: 0/2, pods: 3/10',
    Limit: 'limits.cpu: 1500m/4',
    Age: '5m',
  });
});

test('a runtime class keeps its handler, and tolerates each taint once', () => {
  const given: RuntimeClass = {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { ...meta('r'), namespace: '' },
    handler: 'runc',
    overhead: { podFixed: { cpu: '250m', planets: '1' } },
    scheduling: { tolerations: [{ key: 'a' }, { key: 'a' }] },
  };
  assert.deepEqual(createErrors(runtimeClassDefinition, structuredClone(given)), [
    'overhead.limits[planets]: Invalid value: "planets": must be a standard resource type or fully qualified',
    'overhead.limits[planets]: Invalid value: "planets": must be a standard resource for containers',
    'scheduling.tolerations[1]: Duplicate value: {"key":"a"}',
  ]);
  assert.deepEqual(
    updateErrors(runtimeClassDefinition, { ...given, overhead: {}, scheduling: {} }, (next) => {
      next.handler = 'other';
    }),
    ['handler: Invalid value: "other": field is immutable'],
  );
});

test('a replication controller takes selector and labels from its template', () => {
  const given = (): ReplicationController => ({
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: meta('rc'),
    spec: { template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i:1' }] } } },
  });
  const made = given();
  assert.deepEqual(createErrors(replicationControllerDefinition, made), []);
  assert.deepEqual(made.spec.selector, { a: 'b' });
  assert.deepEqual(made.metadata.labels, { a: 'b' });
  assert.equal(made.spec.replicas, 1);
  assert.deepEqual(Object.values(row(replicationControllerDefinition, made, NOW)), [
    'rc',
    1,
    0,
    0,
    '5m',
    'c',
    'i:1',
    'a=b',
  ]);
  assert.equal(replicationControllerDefinition.scale?.getSelector(made), 'a=b');
  const other = given();
  other.spec.selector = { a: 'x' };
  assert.deepEqual(createErrors(replicationControllerDefinition, other), [
    'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
  ]);
  assert.deepEqual(createErrors(replicationControllerDefinition, { ...given(), spec: {} }), [
    'spec.selector: Required value',
    'spec.template: Required value',
  ]);
});

test('a pod template is defaulted and checked as the templates of workloads are', () => {
  const given: PodTemplate = {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: meta('t'),
    template: { metadata: { labels: { a: 'b', c: 'd' } }, spec: { containers: [{ name: 'c' }] } },
  };
  assert.deepEqual(createErrors(podTemplateDefinition, given), ['template.spec.containers[0].image: Required value']);
  assert.equal(given.template?.spec.restartPolicy, 'Always');
  assert.equal(row(podTemplateDefinition, given, NOW)['Pod Labels'], 'a=b,c=d');
});

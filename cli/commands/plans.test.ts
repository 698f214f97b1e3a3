import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../shared/api/generated/types.js';
import { parseMapChanges } from '../metadata-command.js';
import { parseWaitCondition } from '../wait-condition.js';
import { planDrain } from './drain.js';
import { proxyFilter } from './proxy.js';
import { changedTaints, parseTaintChange } from './taint.js';

const pod = (
  name: string,
  parts: { owner?: string; volumes?: object[]; phase?: string; annotations?: object } = {},
): Pod =>
  ({
    metadata: {
      name,
      namespace: 'default',
      ...(parts.annotations ? { annotations: parts.annotations } : {}),
      ...(parts.owner ? { ownerReferences: [{ kind: parts.owner, name: 'o', controller: true }] } : {}),
    },
    spec: { containers: [], ...(parts.volumes ? { volumes: parts.volumes } : {}) },
    status: { phase: parts.phase ?? 'Running' },
  }) as unknown as Pod;
const careful = { force: false, ignoreDaemonsets: false, deleteEmptydirData: false };
const reckless = { force: true, ignoreDaemonsets: true, deleteEmptydirData: true };
const daemonSets = new Set(['default/o']);

test('a drain lets go of pods that a controller makes again, and of those that have ended', () => {
  const plan = planDrain(
    [pod('web', { owner: 'ReplicaSet' }), pod('done', { phase: 'Succeeded' })],
    careful,
    daemonSets,
  );
  assert.deepEqual(
    plan.leaving.map(({ metadata }) => metadata.name),
    ['web', 'done'],
  );
  assert.deepEqual([plan.warnings, plan.refusals], [[], []]);
});

test('a drain refuses, with the flag that would allow it, what would be lost', () => {
  const pods = [
    pod('bare'),
    pod('daemon', { owner: 'DaemonSet' }),
    pod('data', { owner: 'ReplicaSet', volumes: [{ emptyDir: {} }] }),
  ];
  const { refusals, leaving } = planDrain(pods, careful, daemonSets);
  assert.deepEqual(leaving, []);
  assert.deepEqual(refusals, [
    'cannot delete Pods that declare no controller (use --force to override): default/bare',
    'cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): default/daemon',
    'cannot delete Pods with local storage (use --delete-emptydir-data to override): default/data',
  ]);
});

test('with all its flags a drain leaves only pods of DaemonSets and of the node itself', () => {
  const mirror = pod('static', { annotations: { 'kubernetes.io/config.mirror': 'x' } });
  const pods = [
    pod('bare'),
    pod('daemon', { owner: 'DaemonSet' }),
    mirror,
    pod('data', { volumes: [{ emptyDir: {} }] }),
  ];
  const { refusals, leaving, warnings } = planDrain(pods, reckless, daemonSets);
  assert.deepEqual(refusals, []);
  assert.deepEqual(
    leaving.map(({ metadata }) => metadata.name),
    ['bare', 'data'],
  );
  assert.deepEqual(warnings, [
    'deleting Pods that declare no controller: default/bare, default/data',
    'ignoring DaemonSet-managed Pods: default/daemon',
  ]);
});

test('a pod whose DaemonSet is gone needs --force', () => {
  const orphan = [pod('daemon', { owner: 'DaemonSet' })];
  assert.deepEqual(planDrain(orphan, careful, new Set()).refusals, [
    'cannot delete daemonsets.apps "o" not found: default/daemon',
  ]);
  assert.equal(planDrain(orphan, reckless, new Set()).leaving.length, 1);
});

test('label and annotate tell targets from changes, and refuse what contradicts itself', () => {
  const { targets, changes } = parseMapChanges(['pod', 'web', 'a=b', 'c-', 'd=e=f', 'g='], 'annotation');
  assert.deepEqual(targets, ['pod', 'web']);
  assert.deepEqual(
    [...changes],
    [
      ['a', 'b'],
      ['c', null],
      ['d', 'e=f'],
      ['g', ''],
    ],
  );
  assert.throws(() => parseMapChanges(['pod', 'web', 'd=e=f']), /invalid label spec: d=e=f/);
  assert.throws(() => parseMapChanges(['pod', 'web', 'd=-e']), /invalid label value: "d=-e": a valid label must be/);
  assert.throws(() => parseMapChanges(['pod', 'web', 'a=b', 'a-']), /can not both modify and remove a label/);
  assert.throws(
    () => parseMapChanges(['pod', 'a=b', 'web']),
    /all resources must be specified before label changes: web/,
  );
});

test('taints are set, replaced and removed by key and effect', () => {
  const set = (text: string, before = [{ key: 'a', value: '1', effect: 'NoSchedule' }], overwrite = false): object[] =>
    changedTaints(before, [parseTaintChange(text)], { overwrite, node: 'n' });
  assert.deepEqual(set('b=2:NoExecute').length, 2);
  assert.deepEqual(set('a=2:NoSchedule', undefined, true), [{ key: 'a', value: '2', effect: 'NoSchedule' }]);
  assert.throws(
    () => set('a=2:NoSchedule'),
    /node n already has a taint\(s\) with same effect\(s\) and --overwrite is false/,
  );
  assert.deepEqual(set('a-'), []);
  assert.deepEqual(set('a:NoSchedule-'), []);
  assert.throws(() => set('a:NoExecute-'), /taint "a:NoExecute" not found/);
  assert.throws(() => parseTaintChange('a=b:Sometimes'), /invalid taint effect: Sometimes, unsupported taint effect/);
});

test('conditions of wait read the object and not what stood there before its last change', () => {
  const deployment = (status: string, observedGeneration: number): never =>
    ({
      metadata: { generation: 2 },
      status: { observedGeneration, replicas: 2, conditions: [{ type: 'Available', status }] },
    }) as never;
  const isMet = (text: string, object: never): boolean => parseWaitCondition(text).isMet(object);
  assert.equal(isMet('condition=Available', deployment('True', 2)), true);
  assert.equal(isMet('condition=available=false', deployment('False', 2)), true);
  assert.equal(isMet('condition=Available', deployment('True', 1)), false);
  assert.equal(isMet('jsonpath={.status.replicas}=2', deployment('True', 2)), true);
  assert.equal(isMet('jsonpath={.status.replicas}=3', deployment('True', 2)), false);
  assert.throws(() => parseWaitCondition('nonsense'), /unrecognized condition: "nonsense"/);
});

test('the proxy serves names of this machine only, and no exec', () => {
  const accepts = proxyFilter({
    apiPrefix: '/',
    acceptHosts: String.raw`^localhost$,^127\.0\.0\.1$,^\[::1\]$`,
    acceptPaths: '^.*',
    rejectPaths: '^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach',
    rejectMethods: '^$',
  });
  const asked = (host: string, path = '/api'): boolean => accepts({ method: 'GET', host, path });
  assert.deepEqual([asked('localhost:8001'), asked('127.0.0.1'), asked('[::1]:8001')], [true, true, true]);
  assert.equal(asked('evil.example:8001'), false);
  assert.equal(asked('localhost:8001', '/api/v1/namespaces/a/pods/b/exec'), false);
});

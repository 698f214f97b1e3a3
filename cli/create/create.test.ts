import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlace, localPath } from '../copy/place.js';
import { withHead } from '../edit/edit-text.js';
import { podRows } from '../top/top.js';
import { reconciled } from '../auth/reconcile.js';
import { leftovers } from '../apply/prune.js';
import { parseIngressRule } from './ingress.js';
import { labelSelector } from './policy.js';
import { subjectsOf } from './access.js';

test('rules of an Ingress are read with host, path, port and certificate', () => {
  const { host, path, tlsSecret } = parseIngressRule('example.com/a*=web:http,tls=cert');
  assert.deepEqual([host, path.path, path.pathType, tlsSecret], ['example.com', '/a', 'Prefix', 'cert']);
  assert.deepEqual(parseIngressRule('/=web:80').path.backend, { service: { name: 'web', port: { number: 80 } } });
  assert.equal(parseIngressRule('a.b/=web:80,tls').tlsSecret, '');
  for (const text of ['nonsense', 'a/=web', '/=:80', 'a/=web:80,ssl'])
    assert.throws(() => parseIngressRule(text), /is invalid/);
});

test('a selector becomes labels and expressions', () => {
  assert.deepEqual(labelSelector('app=web,tier in (a,b),!old'), {
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'old', operator: 'DoesNotExist' },
      { key: 'tier', operator: 'In', values: ['a', 'b'] },
    ],
  });
});

test('subjects of a binding are users, groups and accounts with their namespace', () => {
  const subjects = subjectsOf({ user: ['jane'], serviceaccount: ['ns:robot'] });
  assert.deepEqual(subjects.at(-1), { kind: 'ServiceAccount', name: 'robot', namespace: 'ns' });
  assert.throws(() => subjectsOf({ serviceaccount: ['robot'] }), /serviceaccount must be <namespace>:<name>/);
});

test('cp tells paths here from paths in pods, and lets no archive leave its destination', () => {
  assert.deepEqual(parsePlace('ns/web:/tmp/a'), { namespace: 'ns', pod: 'web', path: '/tmp/a' });
  assert.deepEqual(parsePlace('web:a'), { pod: 'web', path: 'a' });
  assert.deepEqual(parsePlace('./a:b'), { path: './a:b' });
  assert.throws(() => parsePlace(':a'), /filespec must match/);
  assert.equal(localPath('tmp/a/b', 'tmp/a', 'here'), 'here/b');
  assert.equal(localPath('tmp/a', 'tmp/a', 'here'), 'here');
  assert.equal(localPath('tmp/a/../../etc', 'tmp/a', 'here'), undefined);
  assert.equal(localPath('etc/passwd', 'tmp/a', 'here'), undefined);
});

test('what was wrong stands above the text when the editor opens again, where the format has comments', () => {
  const reasons = [{ head: 'pods "a" was not valid', other: ['spec.x: wrong\nindeed'] }];
  const text = withHead('kind: Pod\n', { format: 'yaml', advice: ['Edit.', ''] }, reasons);
  assert.equal(text, '# Edit.\n#\n# pods "a" was not valid:\n# * spec.x: wrong\n# indeed\n#\nkind: Pod\n');
  assert.equal(withHead('{}', { format: 'json', advice: ['Edit.'] }, reasons), '{}');
});

test('top sums the containers of a pod and sorts by use', () => {
  const pod = (name: string, cpu: string): never =>
    ({
      metadata: { name, namespace: 'd' },
      containers: [
        { name: 'a', usage: { cpu, memory: '64Mi' } },
        { name: 'b', usage: { cpu: '1500000n', memory: '1Mi' } },
      ],
    }) as never;
  const flags = { headers: false, allNamespaces: false, containers: false, sum: false, showSwap: false };
  assert.deepEqual(podRows([pod('x', '10m'), pod('y', '1')], { ...flags, sortBy: 'cpu' }), [
    ['NAME', 'CPU(cores)', 'MEMORY(bytes)'],
    ['y', '1002m', '65Mi'],
    ['x', '12m', '65Mi'],
  ]);
});

test('reconcile joins rules and subjects, and removes extra ones only when told', () => {
  const role = (rules: object[]): never =>
    ({ apiVersion: 'v1', kind: 'Role', metadata: { name: 'r' }, rules }) as never;
  const [a, b] = [{ verbs: ['get'] }, { verbs: ['list'] }];
  const keep = { removeExtraPermissions: false, removeExtraSubjects: false };
  assert.deepEqual(reconciled(role([a]), role([b]), keep)['rules'], [a, b]);
  assert.deepEqual(reconciled(role([a, b]), role([b]), { ...keep, removeExtraPermissions: true })['rules'], [b]);
  assert.throws(
    () =>
      reconciled(
        { ...(role([]) as object), roleRef: { name: 'x' } } as never,
        { ...(role([]) as object), roleRef: { name: 'y' } } as never,
        keep,
      ),
    /cannot change the roleRef/,
  );
});

test('prune takes what apply made and this apply did not name', () => {
  const object = (uid: string, isApplied: boolean): never =>
    ({
      metadata: { uid, annotations: isApplied ? { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } : {} },
    }) as never;
  const left = leftovers([object('1', true), object('2', true), object('3', false)], new Set(['1']));
  assert.deepEqual(
    left.map(({ metadata }) => metadata.uid),
    ['2'],
  );
});

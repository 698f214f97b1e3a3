import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FoundObject } from '../found-objects.js';
import { subjectPatch, subjectsOf } from './subject.js';

const binding = (kind: string, subjects?: object[]): FoundObject =>
  ({
    type: { kind, resource: `${kind.toLowerCase()}s` },
    name: 'b',
    object: { metadata: {}, ...(subjects ? { subjects } : {}) },
  }) as unknown as FoundObject;

test('users and groups are of the group of RBAC, a ServiceAccount has a namespace', () => {
  assert.deepEqual(subjectsOf({ user: ['ann'], group: ['ops'], serviceaccount: ['ns:bot'] }), [
    { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'ann' },
    { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'ops' },
    { kind: 'ServiceAccount', name: 'bot', namespace: 'ns' },
  ]);
  for (const text of ['bot', 'a:b:c', ':bot', 'ns:']) {
    assert.throws(() => subjectsOf({ serviceaccount: [text] }), /serviceaccount must be <namespace>:<name>/, text);
  }
  assert.throws(() => subjectsOf({}), /at least one value of user, group or serviceaccount/);
});

test('only what a binding lacks is added, behind what it has', () => {
  const [ann, ops] = subjectsOf({ user: ['ann'], group: ['ops'] });
  assert.ok(ann && ops);
  assert.deepEqual(subjectPatch(binding('RoleBinding', [ann]), [ops, ann]), { subjects: [ann, ops] });
  assert.deepEqual(subjectPatch(binding('ClusterRoleBinding'), [ann]), { subjects: [ann] });
  assert.equal(subjectPatch(binding('RoleBinding', [ann]), [ann]), undefined);
  assert.throws(() => subjectPatch(binding('ConfigMap'), [ann]), /^Failure: configmaps\/b setting subjects is only/);
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rule } from '../../authorization/rule.js';
import { AUTO_UPDATE, bindCluster, group, user } from './default-role.js';
import { defaultBindings, defaultRoles } from './default-policy.js';
import { reconcileBinding, reconcileRole } from './reconciliation.js';

type Stored = NonNullable<Parameters<typeof reconcileRole>[1]>;
type StoredBinding = NonNullable<Parameters<typeof reconcileBinding>[1]>;
const expected = { name: 'r', rules: [rule('get list', 'core', 'pods'), rule('get', 'core', 'nodes')] };
const binding = bindCluster('r', [user('a'), group('g')]);

function created<T>(plan: { type: string; object?: T }): T {
  assert.equal(plan.type, 'create');
  assert.ok(plan.object);
  return plan.object;
}

describe('a default role', () => {
  const fresh = (): Stored => created(reconcileRole(expected, undefined));

  it('is made, and then left as it is', () => {
    assert.equal(fresh().metadata.labels?.['kubernetes.io/bootstrapping'], 'rbac-defaults');
    assert.deepEqual(reconcileRole(expected, fresh()), { type: 'keep' });
  });

  it('gets back what was taken from it, and keeps what was added', () => {
    const extra = rule('delete', 'apps', 'deployments');
    const plan = reconcileRole(expected, { ...fresh(), rules: [rule('get list', 'core', 'pods'), extra] });
    assert.ok(plan.type === 'update');
    assert.deepEqual(plan.object.rules, [rule('get list', 'core', 'pods'), extra, rule('get', 'core', 'nodes')]);
  });

  it('is left alone where an administrator says so', () => {
    const role = fresh();
    const metadata = { ...role.metadata, annotations: { [AUTO_UPDATE]: 'false' } };
    assert.deepEqual(reconcileRole(expected, { ...role, metadata, rules: [] }), { type: 'keep' });
  });

  it('that is aggregated keeps the rules that its controller gave it', () => {
    const aggregated = { name: 'a', aggregationRule: { clusterRoleSelectors: [{ matchLabels: { x: 'y' } }] } };
    const role: Stored = created(reconcileRole(aggregated, undefined));
    assert.deepEqual(reconcileRole(aggregated, { ...role, rules: [rule('get', 'core', 'pods')] }), { type: 'keep' });
  });
});

describe('a default binding', () => {
  const fresh = (): StoredBinding => created(reconcileBinding(binding, undefined));

  it('gets back its subjects, and keeps others', () => {
    const plan = reconcileBinding(binding, { ...fresh(), subjects: [user('b'), group('g')] });
    assert.ok(plan.type === 'update');
    assert.deepEqual(plan.object.subjects, [user('b'), group('g'), user('a')]);
  });

  it('that leads elsewhere is made anew', () => {
    const roleRef = { ...binding.roleRef, name: 'other' };
    assert.equal(reconcileBinding(binding, { ...fresh(), roleRef }).type, 'recreate');
  });
});

it('every default binding leads to a default role, and none has a name twice', () => {
  const keyOf = ({ name, namespace = '' }: { name: string; namespace?: string }): string => `${namespace}/${name}`;
  const roles = new Set(defaultRoles.map(keyOf));
  assert.equal(roles.size, defaultRoles.length);
  assert.equal(new Set(defaultBindings.map(keyOf)).size, defaultBindings.length);
  for (const { roleRef, namespace = '' } of defaultBindings) {
    assert.ok(
      roles.has(keyOf({ name: roleRef.name, namespace: roleRef.kind === 'Role' ? namespace : '' })),
      roleRef.name,
    );
  }
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clusterroles } from '../../shared/api/generated/resources.js';
import type { ClusterRole, PolicyRule } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { startManager } from '../testing/manager.js';
import { clusterRoleAggregationController } from './aggregation-controller.js';
import { plannedRules } from './plan-aggregation.js';

const rule = (verb: string): PolicyRule => ({ verbs: [verb], apiGroups: [''], resources: ['pods'] });
const role = (name: string, more: object): ClusterRole =>
  ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, ...more }) as ClusterRole;
const labelled = (name: string, label: string, verbs: string[]): ClusterRole =>
  role(name, { metadata: { name, labels: { part: label } }, rules: verbs.map(rule) });
const selecting = (...labels: string[]): object => ({
  aggregationRule: { clusterRoleSelectors: labels.map((part) => ({ matchLabels: { part } })) },
});

describe('the rules of an aggregated role', () => {
  const parts = [labelled('c', 'x', ['get']), labelled('a', 'x', ['list', 'get']), labelled('b', 'y', ['watch'])];

  it('are those of all selected roles, each once, in one order', () => {
    const planned = plannedRules(role('all', selecting('y', 'x')), parts);
    assert.deepEqual(planned, [rule('watch'), rule('list'), rule('get')]);
    assert.equal(
      plannedRules(role('all', { ...selecting('y', 'x'), rules: planned }), [...parts].reverse()),
      undefined,
    );
  });

  it('never include its own, and vanish with the roles they came from', () => {
    const own = role('a', { ...selecting('x'), metadata: { name: 'a', labels: { part: 'x' } }, rules: [rule('list')] });
    assert.deepEqual(plannedRules(own, [own]), []);
  });

  it('of a role without a selector are left alone', () => {
    assert.equal(plannedRules(role('plain', { rules: [rule('get')] }), parts), undefined);
  });
});

it('fills admin, edit and view, and follows roles that are labelled later', async () => {
  const manager = await startManager([clusterRoleAggregationController]);
  const has = async (name: string, resource: string, verb: string): Promise<boolean> => {
    const { rules = [] } = await manager.admin.get(clusterroles, name, undefined);
    return rules.some(({ resources, verbs }) => resources?.includes(resource) === true && verbs.includes(verb));
  };
  try {
    await eventually(async () => assert.ok(await has('admin', 'rolebindings', 'create')));
    await eventually(async () => assert.ok(await has('admin', 'deployments', 'watch')));
    assert.equal(await has('view', 'secrets', 'get'), false);
    await manager.admin.create(clusterroles, {
      metadata: { name: 'crons', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
      rules: [{ verbs: ['get'], apiGroups: ['stable.example.com'], resources: ['crontabs'] }],
    });
    await eventually(async () => assert.ok(await has('admin', 'crontabs', 'get')));
    await manager.admin.delete(clusterroles, 'crons', undefined);
    await eventually(async () => assert.equal(await has('admin', 'crontabs', 'get'), false));
  } finally {
    await manager.close();
  }
});

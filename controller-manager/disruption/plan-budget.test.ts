import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Pod, PodDisruptionBudget } from '../../shared/api/generated/types.js';
import {
  countHealthy,
  deletionTimeoutMs,
  disruptions,
  expectation,
  failSafe,
  isRelative,
  planStatus,
  selectorText,
  staleAfterMs,
} from './plan-budget.js';

const now = Date.UTC(2026, 5, 1);
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString().replace('.000Z', 'Z');

type Spec = NonNullable<PodDisruptionBudget['spec']>;
function budget(spec: Spec, status?: PodDisruptionBudget['status']): PodDisruptionBudget {
  const metadata = { name: 'b', namespace: 'ns', uid: 'b', creationTimestamp: '', resourceVersion: '1', generation: 3 };
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec, ...(status ? { status } : {}) };
}
function pod(name: string, given: { ready?: boolean; deleting?: boolean; conditions?: object[] } = {}): Pod {
  const { ready = true, deleting, conditions = [] } = given;
  const metadata = { name, uid: name, creationTimestamp: '', resourceVersion: '1' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, ...(deleting ? { deletionTimestamp: ago(1) } : {}) },
    spec: { containers: [] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }, ...conditions] },
  } as Pod;
}

describe('how many healthy pods a budget wants', () => {
  const cases: [Spec, number, number, number, boolean][] = [
    [{ minAvailable: 2 }, 5, 5, 2, false],
    [{ minAvailable: '50%' }, 5, 5, 3, true],
    [{ minAvailable: '100%' }, 3, 3, 3, true],
    [{ maxUnavailable: 1 }, 5, 5, 4, true],
    [{ maxUnavailable: '30%' }, 5, 5, 3, true],
    [{ maxUnavailable: 9 }, 5, 5, 0, true],
    [{}, 5, 0, 0, false],
  ];
  for (const [spec, total, expectedPods, desiredHealthy, relative] of cases) {
    it(`${JSON.stringify(spec)} of ${total}`, () => {
      assert.deepEqual(expectation(budget(spec), total), { expectedPods, desiredHealthy });
      assert.equal(isRelative(budget(spec)), relative);
    });
  }
});

describe('evictions that the API server noted', () => {
  const counts = { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0 };
  const noted = budget(
    { minAvailable: 1 },
    { ...counts, disruptedPods: { a: ago(10), b: ago(121), c: ago(5), gone: ago(1) } },
  );
  const pods = [pod('a'), pod('b'), pod('c', { deleting: true }), pod('d')];

  it('are waited for two minutes, then given up; pods that go or are gone are confirmed', () => {
    const found = disruptions(noted, pods, now);
    assert.deepEqual(found.pending, { a: ago(10) });
    assert.deepEqual(
      found.overdue.map(({ metadata }) => metadata.name),
      ['b'],
    );
    assert.equal(found.recheckAfterMs, deletionTimeoutMs - 10_000);
    assert.equal(countHealthy(pods, found), 2, 'b stays, d was never asked to go');
  });
});

describe('the status of a budget', () => {
  const none = { currentHealthy: 3, pending: {} };
  it('allows what is more than wanted, says why, and is not written twice', () => {
    const guarded = budget({ minAvailable: 2 });
    const status = planStatus(guarded, { expectedPods: 3, desiredHealthy: 2 }, none, ago(0));
    const condition = status?.conditions?.[0];
    assert.deepEqual([status?.disruptionsAllowed, status?.observedGeneration], [1, 3]);
    assert.deepEqual(
      [condition?.type, condition?.status, condition?.reason],
      ['DisruptionAllowed', 'True', 'SufficientPods'],
    );
    assert.ok(status);
    const told = { ...guarded, status };
    assert.equal(planStatus(told, { expectedPods: 3, desiredHealthy: 2 }, none, ago(-5)), undefined);
    assert.ok(planStatus(told, { expectedPods: 3, desiredHealthy: 2 }, { ...none, pending: { a: ago(1) } }, ago(0)));
    told.metadata = { ...told.metadata, generation: 4 };
    assert.equal(planStatus(told, { expectedPods: 3, desiredHealthy: 2 }, none, ago(0))?.observedGeneration, 4);
  });
  it('allows nothing where no pods are expected, or fewer are healthy than wanted', () => {
    for (const [expectedPods, desiredHealthy] of [
      [0, 0],
      [3, 4],
      [3, 3],
    ] as const) {
      const status = planStatus(budget({}), { expectedPods, desiredHealthy }, none, ago(0));
      assert.deepEqual([status?.disruptionsAllowed, status?.conditions?.[0]?.reason], [0, 'InsufficientPods']);
    }
  });
  it('allows nothing when the pods cannot be counted', () => {
    const allowed = planStatus(budget({}), { expectedPods: 3, desiredHealthy: 1 }, none, ago(60));
    assert.ok(allowed);
    const status = failSafe(budget({}, allowed), 'no matches', ago(0));
    const [condition] = status.conditions ?? [];
    assert.deepEqual([status.disruptionsAllowed, status.currentHealthy], [0, 3]);
    assert.deepEqual([condition?.status, condition?.reason, condition?.message], ['False', 'SyncFailed', 'no matches']);
    assert.equal(condition?.lastTransitionTime, ago(0));
  });
});

describe('the condition DisruptionTarget', () => {
  const target = (seconds: number, reason = 'EvictionByEvictionAPI', status = 'True'): Pod =>
    pod('p', { conditions: [{ type: 'DisruptionTarget', status, reason, lastTransitionTime: ago(seconds) }] });
  it('is stale after two minutes in which the pod did not go', () => {
    assert.equal(staleAfterMs(target(30), now), 90_000);
    assert.equal(staleAfterMs(target(300), now), 0);
  });
  it('is none to take back where the kubelet set it, or it is not true, or the pod goes', () => {
    assert.equal(staleAfterMs(target(300, 'TerminationByKubelet'), now), undefined);
    assert.equal(staleAfterMs(target(300, '', 'False'), now), undefined);
    assert.equal(staleAfterMs(pod('p', { deleting: true }), now), undefined);
    const failed = target(300);
    assert.equal(staleAfterMs({ ...failed, status: { ...failed.status, phase: 'Failed' } }, now), undefined);
  });
});

it('a selector is told as Go prints it', () => {
  const selector = {
    matchLabels: { b: '2', a: '1' },
    matchExpressions: [{ key: 'k', operator: 'In', values: ['x', 'y'] }],
  };
  assert.equal(
    selectorText(selector),
    '&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:k,Operator:In,Values:[x y],},},}',
  );
});

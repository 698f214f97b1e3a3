import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Pod, ReplicaSet } from '../../shared/api/generated/types.js';
import { byDeletionOrder } from './deletion-rank.js';
import { nextAvailabilityMs, planReplicas, replicasStatus } from './plan-replicas.js';
import { slowStart } from './pod-batch.js';

const now = Date.UTC(2026, 5, 1);
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

interface PodGiven {
  node?: string;
  phase?: string;
  readyFor?: number;
  cost?: number;
  restarts?: number;
  age?: number;
  deleting?: boolean;
}

function pod(name: string, given: PodGiven = {}): Pod {
  const { node = 'n', phase = 'Running', readyFor, cost, restarts = 0, age = 1000, deleting } = given;
  const ready = readyFor === undefined ? 'False' : 'True';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      uid: name,
      creationTimestamp: ago(age),
      resourceVersion: '1',
      ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': String(cost) } }),
      ...(deleting ? { deletionTimestamp: ago(1) } : {}),
    },
    spec: { containers: [], nodeName: node },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready, lastTransitionTime: ago(readyFor ?? 0) }],
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: restarts }],
    },
  };
}

function replicaSet(replicas: number, more: Partial<NonNullable<ReplicaSet['spec']>> = {}): ReplicaSet {
  const metadata = { name: 'r', uid: 'r', creationTimestamp: '', resourceVersion: '1', generation: 2 };
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec: { replicas, selector: {}, ...more } };
}
const alone = (): number => 1;

describe('the pod that a scale-down deletes first', () => {
  const cases: [string, PodGiven, PodGiven][] = [
    ['has no node', { node: '' }, { node: 'n' }],
    ['is pending', { phase: 'Pending' }, { phase: 'Running' }],
    ['is not ready', {}, { readyFor: 10 }],
    ['is cheaper', { readyFor: 10, cost: -1 }, { readyFor: 10 }],
    ['became ready recently', { readyFor: 10 }, { readyFor: 10_000 }],
    ['was restarted more often', { readyFor: 10, restarts: 3 }, { readyFor: 10 }],
    ['is younger', { readyFor: 10, age: 20 }, { readyFor: 10, age: 20_000 }],
  ];
  for (const [title, first, second] of cases) {
    it(title, () => {
      const order = byDeletionOrder(alone, now);
      assert.deepEqual(
        [pod('b', second), pod('a', first)].toSorted(order).map(({ metadata }) => metadata.name),
        ['a', 'b'],
      );
    });
  }

  it('shares its node with more of its kind', () => {
    const load = ({ spec }: Pod): number => (spec?.nodeName === 'full' ? 2 : 1);
    const pods = [pod('a', { node: 'n', readyFor: 10 }), pod('b', { node: 'full', readyFor: 10 })];
    assert.equal(pods.toSorted(byDeletionOrder(load, now))[0]?.metadata.name, 'b');
  });

  it('property: the order is one (antisymmetric, transitive)', () => {
    const given = fc.record({
      node: fc.constantFrom('', 'n'),
      phase: fc.constantFrom('Pending', 'Running'),
      readyFor: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
      restarts: fc.nat(2),
      age: fc.integer({ min: 0, max: 100_000 }),
    });
    const order = byDeletionOrder(alone, now);
    fc.assert(
      fc.property(given, given, given, (a, b, c) => {
        const strip = ({ readyFor, ...rest }: typeof a): PodGiven =>
          readyFor === undefined ? rest : { ...rest, readyFor };
        const [x, y, z] = [pod('x', strip(a)), pod('y', strip(b)), pod('z', strip(c))];
        assert.equal(Math.sign(order(x, y)) + Math.sign(order(y, x)), 0);
        if (order(x, y) <= 0 && order(y, z) <= 0) assert.ok(order(x, z) <= 0);
      }),
    );
  });
});

describe('the number of pods', () => {
  it('is made up for what ended or is being deleted', () => {
    const pods = [pod('a'), pod('b', { phase: 'Failed' }), pod('c', { deleting: true })];
    assert.deepEqual(planReplicas(replicaSet(3), pods, alone, now), { action: 'create', count: 2 });
  });
  it('changes by at most 500 in one pass', () => {
    assert.deepEqual(planReplicas(replicaSet(2000), [], alone, now), { action: 'create', count: 500 });
  });
  it('is left alone while the ReplicaSet is being deleted', () => {
    const doomed = replicaSet(3);
    doomed.metadata.deletionTimestamp = ago(1);
    assert.deepEqual(planReplicas(doomed, [], alone, now), { action: 'none' });
  });
});

describe('status', () => {
  it('counts ready, available and terminating pods', () => {
    const pods = [pod('a', { readyFor: 5 }), pod('b', { readyFor: 50 }), pod('c'), pod('d', { deleting: true })];
    const status = replicasStatus(replicaSet(3, { minReadySeconds: 10 }), pods, undefined, now);
    const { replicas, readyReplicas, availableReplicas, terminatingReplicas, observedGeneration } = status;
    assert.deepEqual(
      [replicas, readyReplicas, availableReplicas, terminatingReplicas, observedGeneration],
      [3, 2, 1, 1, 2],
    );
    assert.equal(nextAvailabilityMs(replicaSet(3, { minReadySeconds: 10 }), pods, now), 5000);
  });
  it('tells a failure until a pass succeeds', () => {
    const failed = replicasStatus(replicaSet(1), [], { reason: 'FailedCreate', message: 'quota' }, now);
    assert.deepEqual(
      failed.conditions?.map(({ type, reason }) => [type, reason]),
      [['ReplicaFailure', 'FailedCreate']],
    );
    const recovered = replicasStatus({ ...replicaSet(1), status: failed }, [], undefined, now);
    assert.deepEqual(recovered.conditions, []);
  });
});

describe('slow start', () => {
  it('doubles its batches while all goes well', async () => {
    let running = 0;
    const peaks: number[] = [];
    await slowStart(10, async () => {
      peaks.push(++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    });
    assert.deepEqual(peaks, [1, 1, 2, 1, 2, 3, 4, 1, 2, 3]);
  });
  it('stops after the batch in which the API refused', async () => {
    let calls = 0;
    const { succeeded, failure } = await slowStart(100, () =>
      ++calls === 5 ? Promise.reject(new Error('quota')) : Promise.resolve(),
    );
    assert.equal(calls, 7);
    assert.equal(succeeded, 6);
    assert.equal((failure as Error).message, 'quota');
  });
});

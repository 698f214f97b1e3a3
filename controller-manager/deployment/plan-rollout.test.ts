import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Deployment, DeploymentStatus, ReplicaSet } from '../../shared/api/generated/types.js';
import { getCondition } from '../../shared/api/condition.js';
import { maxSurge, maxUnavailable } from './deployment-fields.js';
import { planRollout, type RolloutPlan } from './plan-rollout.js';
import { templateText } from './revision.js';

type Spec = Partial<NonNullable<Deployment['spec']>>;

function deployment(spec: Spec = {}, image = 'i:1', status: DeploymentStatus = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'ns', uid: 'd', generation: 1, creationTimestamp: '', resourceVersion: '1' },
    spec: {
      replicas: 3,
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
      ...spec,
    },
    status,
  };
}

/** A ReplicaSet of `image` with so many pods wanted, there and available. */
function replicaSet(
  image: string,
  replicas: number,
  more: { available?: number; order?: number; annotations?: Record<string, string> } = {},
): ReplicaSet {
  const { available = replicas, order = Number(image.slice(2)), annotations = {} } = more;
  const { spec } = deployment({}, image);
  const name = `web-${image.slice(2)}`;
  const creationTimestamp = new Date(Date.UTC(2026, 0, 1, 0, order)).toISOString();
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      uid: name,
      creationTimestamp,
      resourceVersion: '1',
      generation: 1,
      annotations: { 'deployment.kubernetes.io/revision': String(order), ...annotations },
    },
    spec: { replicas, selector: {}, ...(spec ? { template: spec.template } : {}) },
    status: { replicas, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
  };
}

const sized = (desired: number, max: number): Record<string, string> => ({
  'deployment.kubernetes.io/desired-replicas': String(desired),
  'deployment.kubernetes.io/max-replicas': String(max),
});
const now = Date.UTC(2026, 5, 1);
const plan = (d: Deployment, sets: ReplicaSet[], hasOldPods = false): RolloutPlan =>
  planRollout({ deployment: d, replicaSets: sets, hasOldPods: () => hasOldPods, nowMs: now });
/** `web-1: 3, +web-abc: 1`: what changes its size, and what is made. */
const sizes = (p: RolloutPlan): string =>
  [
    ...p.update
      .filter(({ source, replicas }) => source?.spec?.replicas !== replicas)
      .map((r) => `${r.name}: ${r.replicas}`),
    ...(p.create ? [`+: ${p.create.replicas}`] : []),
  ].join(', ');

describe('one step of a rolling update', () => {
  const cases: [string, Spec, ReplicaSet[], string][] = [
    ['the first ReplicaSet gets everything at once', {}, [], '+: 3'],
    ['a new template starts with what maxSurge allows', {}, [replicaSet('i:0', 3)], '+: 1'],
    [
      'without surge the new one waits for the old to shrink',
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } },
      [replicaSet('i:0', 3)],
      '+: 0',
    ],
    [
      'an old pod goes for each new one that is available',
      {},
      [replicaSet('i:0', 3), replicaSet('i:1', 1)],
      'web-0: 2',
    ],
    [
      'nothing goes while the new one is not available',
      {},
      [replicaSet('i:0', 3), replicaSet('i:1', 1, { available: 0 })],
      '',
    ],
    [
      'old pods that are not available stay while the new ones are not available either',
      {},
      [replicaSet('i:0', 3, { available: 2 }), replicaSet('i:1', 1, { available: 0 })],
      '',
    ],
    [
      'old pods that are not available go first',
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } },
      [replicaSet('i:0', 3, { available: 1 }), replicaSet('i:1', 0)],
      'web-0: 2',
    ],
    ['the new one grows when an old one has shrunk', {}, [replicaSet('i:0', 2), replicaSet('i:1', 1)], 'web-1: 2'],
    [
      'percentages: surge is rounded up, unavailability down',
      { replicas: 10, strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } } },
      [replicaSet('i:0', 10)],
      '+: 3',
    ],
  ];
  for (const [title, spec, sets, expected] of cases) {
    it(title, () => assert.equal(sizes(plan(deployment(spec), sets)), expected));
  }
});

describe('Recreate', () => {
  const spec: Spec = { strategy: { type: 'Recreate' } };
  it('first removes the old pods', () =>
    assert.equal(sizes(plan(deployment(spec), [replicaSet('i:0', 3)])), 'web-0: 0'));
  it('waits for the last of them', () => assert.equal(sizes(plan(deployment(spec), [replicaSet('i:0', 0)], true)), ''));
  it('then makes all new ones', () => assert.equal(sizes(plan(deployment(spec), [replicaSet('i:0', 0)])), '+: 3'));
});

describe('scaling', () => {
  it('in the middle of a rollout is spread in proportion', () => {
    const d = deployment({ replicas: 10, strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } });
    const sets = [
      replicaSet('i:0', 5, { annotations: sized(5, 8) }),
      replicaSet('i:1', 3, { annotations: sized(5, 8) }),
    ];
    assert.equal(sizes(plan(d, sets)), 'web-0: 8, web-1: 5');
  });
  it('while paused changes the size and not the template', () => {
    const p = plan(deployment({ replicas: 5, paused: true }), [replicaSet('i:0', 3, { annotations: sized(3, 4) })]);
    assert.equal(sizes(p), 'web-0: 5');
    assert.equal(getCondition(p.status.conditions, 'Progressing')?.reason, 'DeploymentPaused');
  });
  it('to zero empties all', () => {
    const sets = [
      replicaSet('i:0', 2, { annotations: sized(3, 4) }),
      replicaSet('i:1', 2, { annotations: sized(3, 4) }),
    ];
    assert.equal(sizes(plan(deployment({ replicas: 0 }), sets)), 'web-0: 0, web-1: 0');
  });
});

describe('revisions', () => {
  it('a template that comes back takes the next number and remembers its old one', () => {
    const p = plan(deployment({}, 'i:1'), [replicaSet('i:1', 0), replicaSet('i:2', 3)]);
    const annotations = p.update.find(({ name }) => name === 'web-1')?.annotations;
    assert.equal(annotations?.['deployment.kubernetes.io/revision'], '3');
    assert.equal(annotations?.['deployment.kubernetes.io/revision-history'], '1');
    assert.equal(p.revision, '3');
  });
  it('old ones beyond the limit go when the rollout is complete, lowest first', () => {
    const status = { observedGeneration: 1, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };
    const sets = [5, 6, 7].map((n) => replicaSet(`i:${n}`, 0)).concat(replicaSet('i:9', 3));
    const p = plan(deployment({ revisionHistoryLimit: 1 }, 'i:9', status), sets);
    assert.deepEqual(
      p.remove.map(({ metadata }) => metadata.name),
      ['web-5', 'web-6'],
    );
  });
  it('the hash label and the creation time are no part of the template', () => {
    const { spec } = deployment();
    const labelled = { ...spec?.template, metadata: { labels: { app: 'web', 'pod-template-hash': 'x' } } };
    assert.equal(templateText(labelled as NonNullable<typeof spec>['template']), templateText(spec?.template));
  });
});

describe('conditions', () => {
  const reasonOf = (p: RolloutPlan): string | undefined => getCondition(p.status.conditions, 'Progressing')?.reason;
  it('a complete rollout is available', () => {
    const p = plan(deployment(), [replicaSet('i:1', 3)]);
    assert.equal(reasonOf(p), 'NewReplicaSetAvailable');
    assert.equal(p.requeueAfterMs, undefined);
  });
  it('no progress within the deadline fails it, and the deadline wakes the controller', () => {
    const since = (agoSeconds: number): DeploymentStatus => {
      const lastUpdateTime = new Date(now - agoSeconds * 1000).toISOString();
      const condition = {
        type: 'Progressing',
        status: 'True',
        reason: 'ReplicaSetUpdated',
        lastUpdateTime,
        lastTransitionTime: lastUpdateTime,
      };
      return { replicas: 3, updatedReplicas: 3, conditions: [condition] };
    };
    const stuck = [replicaSet('i:1', 3, { available: 0 })];
    const early = plan(deployment({}, 'i:1', since(599)), stuck);
    assert.equal(reasonOf(early), 'ReplicaSetUpdated');
    assert.equal(early.requeueAfterMs, 2000);
    const late = plan(deployment({}, 'i:1', since(601)), stuck);
    const condition = getCondition(late.status.conditions, 'Progressing');
    assert.deepEqual(
      [condition?.status, condition?.reason, condition?.message],
      ['False', 'ProgressDeadlineExceeded', 'ReplicaSet "web-1" has timed out progressing.'],
    );
  });
});

it('property: a rollout ends, and on its way keeps within maxSurge and maxUnavailable', () => {
  const input = fc.record({
    replicas: fc.integer({ min: 1, max: 12 }),
    surge: fc.integer({ min: 0, max: 4 }),
    unavailable: fc.integer({ min: 0, max: 4 }),
    luck: fc.array(fc.boolean(), { minLength: 200, maxLength: 200 }),
  });
  fc.assert(
    fc.property(input, ({ replicas, surge, unavailable, luck }) => {
      let d = deployment({ replicas, strategy: { rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } } });
      const world = new Map([['web-0', replicaSet('i:0', replicas)]]);
      const [most, least] = [replicas + maxSurge(d), replicas - maxUnavailable(d)];
      for (let step = 0; step < 200; step++) {
        const sets = [...world.values()];
        const available = sets.reduce((total, { status }) => total + (status?.availableReplicas ?? 0), 0);
        const wanted = sets.reduce((total, { spec }) => total + (spec?.replicas ?? 0), 0);
        assert.ok(wanted <= most, `${wanted} pods, at most ${most}`);
        assert.ok(available >= least, `${available} available, at least ${least}`);
        const p = plan(d, sets);
        d = { ...d, status: p.status };
        const changes = [...p.update, ...(p.create ? [p.create] : [])];
        for (const { name, replicas: size, annotations } of changes) {
          const before = world.get(name) ?? replicaSet('i:1', 0);
          const left = Math.min(size, before.status?.availableReplicas ?? 0);
          const status = { replicas: size, readyReplicas: left, availableReplicas: left, observedGeneration: 1 };
          const metadata = { ...before.metadata, name, uid: name, annotations };
          world.set(name, {
            ...before,
            metadata,
            spec: { ...(before.spec ?? { selector: {} }), replicas: size },
            status,
          });
        }
        // Pods become available one at a time, when they feel like it; without luck all of them, so that it ends.
        for (const [name, set] of world) {
          const size = set.spec?.replicas ?? 0;
          const ready = luck[step] ? size : Math.min(size, (set.status?.availableReplicas ?? 0) + 1);
          world.set(name, {
            ...set,
            status: { ...set.status, replicas: size, readyReplicas: ready, availableReplicas: ready },
          });
        }
        if (
          changes.length === 0 &&
          getCondition(p.status.conditions, 'Progressing')?.reason === 'NewReplicaSetAvailable'
        ) {
          assert.equal(world.get('web-0')?.spec?.replicas, 0);
          return;
        }
      }
      assert.fail('the rollout does not end');
    }),
    { numRuns: 150 },
  );
});

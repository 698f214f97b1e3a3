import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Pod, PodDisruptionBudget } from '../shared/api/generated/types.js';
import { toPodInfo } from './pod-info.js';
import { node, pod } from './testing/objects.js';
import { World } from './testing/world.js';

const sized = (name: string, cpu: string, priority = 0, more: Parameters<typeof pod>[1] = {}): Pod =>
  pod(name, { requests: { cpu }, priority, ...more });
const startedAt = (minute: number) => ({ status: { startTime: `2026-01-01T00:0${minute}:00Z` } });
const budget = (app: string, disruptionsAllowed: number): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: {
    uid: app,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    name: app,
    namespace: 'default',
  },
  spec: { selector: { matchLabels: { app } } },
  status: { currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed, expectedPods: 1 },
});

test('as few pods as possible go, and the less important ones', () => {
  const world = new World([node('a')], {
    a: [
      sized('low', '1', 1),
      sized('lower', '1', 0),
      sized('old', '1', 1, startedAt(1)),
      sized('young', '1', 1, startedAt(5)),
    ],
  });
  assert.equal(world.preempt(sized('p', '1', 10)), 'a: lower');
  assert.equal(world.preempt(sized('p', '2', 10)), 'a: low, lower', 'a pod that has not begun is younger than any');
  assert.equal(world.preempt(sized('p', '3', 10)), 'a: young, low, lower');
});

test('pods of the same or a higher priority stay', () => {
  const world = new World([node('a'), node('b')], { a: [sized('x', '4', 5)], b: [sized('y', '4', 7)] });
  assert.equal(world.preempt(sized('p', '1', 6)), 'a: x');
  const none = '0/2 nodes are available: 2 No preemption victims found for incoming pod.';
  assert.equal(world.preempt(sized('p', '1', 5)), none);
});

test('what the end of pods cannot change is not hoped for', () => {
  const world = new World(
    [node('small', { cpu: '1' }), node('cordoned', { unschedulable: true }), node('a'), node('b')],
    { a: [sized('x', '4', 0)], b: [sized('kept', '3', 9), sized('y', '1', 0)] },
  );
  assert.equal(
    world.preempt(sized('p', '4', 5, { nodeSelector: { 'kubernetes.io/hostname': 'none' } })),
    '0/4 nodes are available: 4 Preemption is not helpful for scheduling.',
  );
  assert.equal(world.preempt(sized('p', '4', 5)), 'a: x');
  world.table.removeNode('a');
  assert.equal(
    world.preempt(sized('p', '4', 5)),
    '0/3 nodes are available: 1 Insufficient cpu, 2 Preemption is not helpful for scheduling.',
  );
});

test('a pod with preemptionPolicy Never waits in its turn', () => {
  const world = new World([node('a')], { a: [sized('x', '4', 0)] });
  assert.equal(
    world.preempt(sized('p', '1', 9, { preemptionPolicy: 'Never' })),
    'not eligible due to preemptionPolicy=Never.',
  );
});

test('budgets are broken only where nothing else helps', () => {
  const guarded = (name: string, on: number) => sized(name, '4', on, { labels: { app: 'guarded' } });
  const world = new World([node('a'), node('b')], { a: [guarded('x', 0)], b: [sized('y', '4', 5)] });
  world.budgets.push(budget('guarded', 0));
  assert.equal(world.preempt(sized('p', '1', 9)), 'b: y', 'although y matters more than x');
  world.table.removePod('default/y');
  world.table.addPod(toPodInfo(sized('y', '4', 9)), 'b');
  assert.equal(world.preempt(sized('p', '1', 9)), 'a: x');
});

test('within a node those go first whose budget allows it', () => {
  const world = new World([node('a')], {
    a: [sized('guarded', '2', 0, { labels: { app: 'guarded' } }), sized('free', '2', 1)],
  });
  world.budgets.push(budget('guarded', 0));
  assert.equal(world.preempt(sized('p', '2', 9)), 'a: free');
  world.budgets[0] = budget('guarded', 1);
  assert.equal(world.preempt(sized('p', '2', 9)), 'a: guarded');
});

test('of several nodes the one goes whose victims matter least, then whose are few, then whose are young', () => {
  const world = new World([node('a'), node('b'), node('c')], {
    a: [sized('a1', '4', 3)],
    b: [sized('b1', '2', 2), sized('b2', '2', 1)],
    c: [sized('c1', '4', 2)],
  });
  assert.equal(world.preempt(sized('p', '4', 9)), 'c: c1', 'the sum of priorities decides between b and c');
  const equals = new World([node('a'), node('b')], {
    a: [sized('a1', '4', 1, startedAt(1))],
    b: [sized('b1', '4', 1, startedAt(2))],
  });
  assert.equal(equals.preempt(sized('p', '4', 9)), 'b: b1');
});

test('ports, anti-affinity and spread make room too', () => {
  const ports = new World([node('a')], { a: [pod('x', { hostPort: 80 })] });
  assert.equal(ports.preempt(pod('p', { hostPort: 80, priority: 1 })), 'a: x');
  const apart = {
    labels: { app: 'x' },
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { labelSelector: { matchLabels: { app: 'x' } }, topologyKey: 'kubernetes.io/hostname' },
        ],
      },
    },
  };
  const lonely = new World([node('a')], { a: [pod('x', apart), pod('y')] });
  assert.equal(lonely.preempt(pod('p', { ...apart, priority: 1 })), 'a: x');
  assert.equal(
    lonely.preempt(pod('p', { labels: { app: 'x' }, priority: 1 })),
    'a: x',
    'the anti-affinity of the placed pod',
  );
  const constraint = {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: { app: 's' } },
  };
  const spread = { labels: { app: 's' }, topologySpreadConstraints: [constraint] };
  const full = new World([node('a'), node('b')], { a: [pod('s1', spread)], b: [sized('y', '4', 5)] });
  assert.equal(full.preempt(sized('p', '1', 3, spread)), 'a: s1');
});

test('a pod whose victims are on their way out does not look for more', () => {
  const going = {
    deletionTimestamp: '2026-01-01T00:00:00Z',
    status: {
      conditions: [
        { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler', lastTransitionTime: '' },
      ],
    },
  };
  const world = new World([node('a'), node('b')], { a: [sized('x', '4', 0, going)], b: [sized('y', '4', 0)] });
  const p = sized('p', '4', 9);
  world.nominations.set(toPodInfo(p), 'a');
  assert.equal(world.preempt(p), 'not eligible due to a terminating pod on the nominated node.');
  world.nominations.delete('default/p');
  assert.match(world.preempt(p), /^[ab]: [xy]$/);
});

test('room that was made is kept from pods that do not matter more, and the one it was made for takes it', () => {
  const world = new World([node('a'), node('b')], { a: [sized('x', '1', 0)], b: [] });
  const p = sized('p', '3', 5);
  world.nominations.set(toPodInfo(p), 'a');
  assert.equal(world.place(sized('small', '2', 5)), 'b');
  world.table.addPod(toPodInfo(sized('full', '4', 0)), 'b');
  assert.match(world.place(sized('small', '2', 5)), /2 Insufficient cpu/);
  assert.equal(world.place(sized('urgent', '2', 6)), 'a');
  world.table.removePod('default/full');
  assert.equal(world.place(p), 'a', 'although b is empty');
});

test('a plan changes nothing, and after it the pod fits', () => {
  const size = fc.constantFrom('500m', '1', '1500m', '2');
  const placed = fc.array(
    fc.record({ cpu: size, priority: fc.integer({ min: 0, max: 3 }), app: fc.constantFrom('x', 'y') }),
    {
      maxLength: 8,
    },
  );
  fc.assert(
    fc.property(
      fc.array(placed, { minLength: 1, maxLength: 4 }),
      size,
      fc.integer({ min: 0, max: 4 }),
      (nodes, cpu, priority) => {
        const names = nodes.map((_, i) => `n${i}`);
        const world = new World(
          names.map((name) => node(name, { cpu: '3' })),
          Object.fromEntries(
            nodes.map((pods, i) => [
              names[i] ?? '',
              pods.map(({ app, ...p }, j) => sized(`p${i}-${j}`, p.cpu, p.priority, { labels: { app } })),
            ]),
          ),
        );
        world.budgets.push(budget('x', 1));
        const p = sized('new', cpu, priority);
        const before = world.place(p);
        const plan = world.preempt(p);
        assert.equal(world.place(p), before);
        assert.equal(world.preempt(p), plan);
        const chosen = /^(n\d): (.+)$/.exec(plan);
        if (!chosen) return;
        for (const victim of chosen[2]?.split(', ') ?? []) world.table.removePod(`default/${victim}`);
        assert.equal(world.place(p), chosen[1]);
      },
    ),
  );
});

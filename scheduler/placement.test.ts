import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../shared/api/generated/types.js';
import { toPodInfo } from './pod-info.js';
import { node, pod } from './testing/objects.js';
import { World } from './testing/world.js';

test('a pod goes where there is room, and the emptier node wins', () => {
  const world = new World([node('a'), node('b')], { a: [pod('x', { requests: { cpu: '3' } })] });
  assert.equal(world.place(pod('p', { requests: { cpu: '2' } })), 'b');
  assert.equal(world.place(pod('q', { requests: { cpu: '500m' } })), 'b');
});

test('a refusal sums up reasons and names each node with its numbers', () => {
  const world = new World(
    [
      node('a'),
      node('b', { unschedulable: true }),
      node('c', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] }),
    ],
    {
      a: [pod('x', { requests: { cpu: '3500m', memory: '1Gi' } })],
    },
  );
  assert.equal(
    world.place(pod('p', { requests: { cpu: '2', memory: '10Gi' } })),
    '0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. ' +
      'a: cpu 2 requested, 500m of 4 free, memory 10Gi requested, 7Gi of 8Gi free; b: unschedulable; c: untolerated taint {k: v}',
  );
  assert.equal(new World([]).place(pod('p')), 'no nodes available to schedule pods');
});

test('the number of pods and extended resources count', () => {
  const world = new World([node('a', { pods: '1', more: { 'example.com/gpu': '1' } })]);
  assert.match(world.place(pod('g', { requests: { 'example.com/gpu': '2' } })), /1 Insufficient example\.com\/gpu/);
  assert.equal(world.run(pod('p', { requests: { 'example.com/gpu': '1' } })), 'a');
  assert.match(world.place(pod('q')), /1 Too many pods\. a: 1 of 1 pods/);
  world.table.removePod('default/p');
  assert.equal(world.place(pod('q', { requests: { 'example.com/gpu': '1' } })), 'a');
});

test('node selector, node affinity and tolerations decide', () => {
  const nodes = [
    node('a', { labels: { disk: 'ssd', gen: '3' } }),
    node('b', { labels: { disk: 'hdd', gen: '7' } }),
    node('t', { taints: [{ key: 'only', effect: 'NoExecute' }] }),
  ];
  const world = new World(nodes);
  assert.equal(world.place(pod('p', { nodeSelector: { disk: 'ssd' } })), 'a');
  const affine = (operator: string, values: string[]): Pod =>
    pod('p', {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'gen', operator, values }] }],
          },
        },
      },
    });
  assert.equal(world.place(affine('Gt', ['5'])), 'b');
  assert.equal(world.place(affine('NotIn', ['7'])), 'a');
  assert.match(
    world.place(pod('p', { nodeSelector: { disk: 'tape' } })),
    /2 node\(s\) didn't match Pod's node affinity\/selector/,
  );
  assert.equal(
    world.place(
      pod('p', { nodeSelector: { 'kubernetes.io/hostname': 't' }, tolerations: [{ key: 'only', operator: 'Exists' }] }),
    ),
    't',
  );
});

test('preferred node affinity and PreferNoSchedule outweigh emptiness', () => {
  const nodes = [
    node('a', { labels: { zone: 'x' } }),
    node('b', { taints: [{ key: 'meh', effect: 'PreferNoSchedule' }] }),
    node('c'),
  ];
  const world = new World(nodes, { a: [pod('x', { requests: { cpu: '1', memory: '2Gi' } })] });
  const preferring = pod('p', {
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 10, preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: ['x'] }] } },
        ],
      },
    },
  });
  assert.equal(world.place(preferring), 'a');
  assert.equal(world.place(pod('q')), 'c');
});

test('a verdict is made anew when the labels, taints or cordon of a node change', () => {
  const world = new World([node('a')]);
  assert.equal(world.place(pod('p')), 'a');
  world.table.setNode(node('a', { unschedulable: true }));
  assert.match(world.place(pod('p')), /were unschedulable/);
  world.table.setNode(node('a'));
  assert.equal(world.place(pod('p')), 'a');
  world.table.removeNode('a');
  world.table.setNode(node('b', { taints: [{ key: 'new', effect: 'NoSchedule' }] }));
  assert.match(
    world.place(pod('p')),
    /1 node\(s\) had untolerated taint\(s\)\. b: untolerated taint \{new: \}/,
    'the freed slot carries no old verdict',
  );
});

test('the pods of one controller spread over the nodes', () => {
  const world = new World([node('a'), node('b'), node('c')]);
  const places = ['1', '2', '3', '4', '5', '6'].map((n) => world.run(pod(n, { owner: 'rs' })));
  assert.deepEqual([...places].sort(), ['a', 'a', 'b', 'b', 'c', 'c']);
});

test("a host port is the node's; a port in the host network is the whole machine's", () => {
  const world = new World([
    node('a', { link: '10.0.0.1' }),
    node('b', { link: '10.0.0.1' }),
    node('c', { link: '10.0.0.2' }),
  ]);
  const port = { hostPort: 80 };
  assert.equal(new Set(['1', '2', '3'].map((n) => world.run(pod(n, port)))).size, 3);
  assert.match(world.place(pod('4', port)), /3 node\(s\) didn't have free ports for the requested pod ports/);
  const host = new World([
    node('a', { link: '10.0.0.1' }),
    node('b', { link: '10.0.0.1' }),
    node('c', { link: '10.0.0.2' }),
  ]);
  const machines = [
    host.run(pod('1', { ...port, hostNetwork: true })),
    host.run(pod('2', { ...port, hostNetwork: true })),
  ].map((n) => (n === 'c' ? 'two' : 'one'));
  assert.deepEqual([...machines].sort(), ['one', 'two']);
  assert.match(host.place(pod('3', port)), /didn't have free ports/);
});

const selector = (app: string) => ({ labelSelector: { matchLabels: { app } }, topologyKey: 'kubernetes.io/hostname' });

test('required anti-affinity keeps pods apart, in both directions', () => {
  const world = new World([node('a'), node('b')]);
  const lonely = (name: string): Pod =>
    pod(name, {
      labels: { app: 'x' },
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [selector('x')] } },
    });
  assert.notEqual(world.run(lonely('1')), world.run(lonely('2')));
  assert.match(
    world.place(lonely('3')),
    /2 node\(s\) didn't (match pod anti-affinity rules|satisfy existing pods anti-affinity rules)/,
  );
  assert.match(
    world.place(pod('4', { labels: { app: 'x' } })),
    /2 node\(s\) didn't satisfy existing pods anti-affinity rules/,
  );
  assert.match(
    world.place(pod('5', { namespace: 'other', labels: { app: 'x' } })),
    /^[ab]$/,
    'another namespace is not meant',
  );
});

test('required affinity follows its pods; the first of a group may go anywhere', () => {
  const world = new World([node('a'), node('b')], { b: [pod('db', { labels: { app: 'db' } })] });
  const near = (app: string, labels = {}): Pod =>
    pod(`near-${app}`, {
      labels,
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [selector(app)] } },
    });
  assert.equal(world.place(near('db')), 'b');
  assert.match(world.place(near('nobody')), /2 node\(s\) didn't match pod affinity rules/);
  assert.match(world.place(near('self', { app: 'self' })), /^[ab]$/);
});

test('placed pods draw those near that they want near, and the others away', () => {
  const zone = (z: string) => ({ labels: { zone: z } });
  const nodes = [node('a', zone('x')), node('b', zone('x')), node('c', zone('y'))];
  const term = { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'zone' };
  const preferring = [{ weight: 10, podAffinityTerm: term }];
  const likes = { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferring } };
  const dislikes = { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferring } };
  const busy = pod('busy', { requests: { cpu: '1', memory: '2Gi' } });
  const web = pod('p', { labels: { app: 'web' } });
  const near = new World(nodes, { a: [pod('cache', { affinity: likes })], b: [busy] });
  assert.match(near.place(web), /^[ab]$/);
  assert.equal(near.place(pod('q')), 'c', 'another pod goes where there is most room');
  const far = new World(nodes, { c: [pod('noisy', { affinity: dislikes })], a: [busy], b: [busy] });
  assert.match(far.place(web), /^[ab]$/);
  const must = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
  assert.match(new World(nodes, { a: [pod('cache', { affinity: must })], b: [busy] }).place(web), /^[ab]$/);
});

test('a hard spread constraint bounds the skew between zones', () => {
  const zone = (z: string) => ({ labels: { zone: z } });
  const world = new World([node('a', zone('x')), node('b', zone('x')), node('c', zone('y')), node('d')]);
  const constraint = {
    maxSkew: 1,
    topologyKey: 'zone',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: { app: 's' } },
  };
  const spread = (name: string): Pod => pod(name, { labels: { app: 's' }, topologySpreadConstraints: [constraint] });
  const zones = ['1', '2', '3', '4'].map((n) => (world.run(spread(n)) === 'c' ? 'y' : 'x'));
  assert.deepEqual([...zones].sort(), ['x', 'x', 'y', 'y']);
  const taints = [{ key: 'gone', effect: 'NoSchedule' }];
  world.table.setNode(node('c', { ...zone('y'), taints }));
  assert.match(world.run(spread('5')), /^[ab]$/);
  const refusal = /2 node\(s\) didn't match pod topology spread constraints\./;
  assert.match(world.place(spread('6')), refusal, 'a tainted zone counts');
  const honouring = { topologySpreadConstraints: [{ ...constraint, nodeTaintsPolicy: 'Honor' }] };
  assert.match(world.place(pod('7', { labels: { app: 's' }, ...honouring })), /^[ab]$/, 'unless taints are honoured');
});

test('pods of a node that is not known yet count when it appears, and again when it comes back', () => {
  const world = new World([]);
  world.table.addPod(toPodInfo(pod('early', { requests: { cpu: '3' } })), 'a');
  world.table.setNode(node('a'));
  assert.match(world.place(pod('p', { requests: { cpu: '2' } })), /1 of 4|1 requested|cpu 2 requested, 1 of 4 free/);
  world.table.removeNode('a');
  world.table.setNode(node('a'));
  assert.match(world.place(pod('p', { requests: { cpu: '2' } })), /cpu 2 requested, 1 of 4 free/);
  world.table.removePod('default/early');
  assert.equal(world.place(pod('p', { requests: { cpu: '2' } })), 'a');
});

test('an image that is there draws pods, unless it is small or few nodes have it', () => {
  const run = (image: string): Pod => pod('p', { containers: [{ name: 'c', image }] });
  const busy = { requests: { cpu: '200m', memory: '400Mi' } };
  const world = new World([node('a', { images: { 'big:1': 900, 'app:latest': 500, 'tiny:1': 20 } }), node('b')], {
    a: [pod('x', busy)],
  });
  assert.equal(world.place(run('big:1')), 'a');
  assert.equal(world.place(run('app')), 'a', 'no tag means latest');
  assert.equal(world.place(run('tiny:1')), 'b');
  assert.equal(world.place(run('other:1')), 'b');
  const many = ['c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r'];
  for (const name of many) world.table.setNode(node(name));
  assert.notEqual(world.place(run('big:1')), 'a');
  world.table.removeNode('a');
  world.table.setNode(node('z'));
  assert.equal(world.table.images.scores(run('big:1').spec, 2), undefined, 'the freed slot has no old images');
});

test('a pod that is resized keeps what it has until it has less, and gets no claim to what the node cannot give', () => {
  const resized = (asks: string, has: string, reason?: string): Pod =>
    pod('x', {
      requests: { cpu: asks },
      status: {
        ...(reason ? { conditions: [{ type: 'PodResizePending', status: 'True', reason }] } : {}),
        containerStatuses: [
          { name: 'c', image: 'x', imageID: '', ready: true, restartCount: 0, allocatedResources: { cpu: has } },
        ],
      },
    });
  const free = (x: Pod): string => new World([node('a')], { a: [x] }).place(pod('p', { requests: { cpu: '4' } }));
  assert.match(free(resized('1', '3')), /1 of 4 free$/);
  assert.match(free(resized('3', '1')), /1 of 4 free$/);
  assert.match(free(resized('3', '1', 'Deferred')), /1 of 4 free$/);
  assert.match(free(resized('3', '1', 'Infeasible')), /3 of 4 free$/);
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Node, Pod, Taint } from '../../shared/api/generated/types.js';
import { formatCidr, nextFreeCidr, parseCidr, type Cidr } from './plan-cidr.js';
import { mayEvict, nextHeartbeat, plannedTaints, silentConditions } from './plan-health.js';
import { beginsEviction } from './node-taints.js';
import { evictionTimeMs } from './taint-eviction.js';

const nowIso = '2026-06-01T00:00:00Z';

function node(
  ready: string | undefined,
  more: { taints?: Taint[]; unschedulable?: boolean; disk?: string } = {},
): Node {
  const { taints, unschedulable, disk } = more;
  const conditions = [
    ...(ready === undefined ? [] : [{ type: 'Ready', status: ready, lastHeartbeatTime: nowIso }]),
    ...(disk === undefined ? [] : [{ type: 'DiskPressure', status: disk }]),
  ];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', uid: 'n', creationTimestamp: nowIso, resourceVersion: '1' },
    spec: { ...(taints ? { taints } : {}), ...(unschedulable ? { unschedulable } : {}) },
    status: { conditions },
  };
}
const taintsOf = (given: Node, evict = true): string[] | undefined =>
  plannedTaints(given, evict, nowIso)?.map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`);
const taint = (key: string, effect: string, timeAdded?: string): Taint => ({
  key: `node.kubernetes.io/${key}`,
  effect,
  ...(timeAdded ? { timeAdded } : {}),
});

describe('taints of a node', () => {
  it('follow its conditions', () => {
    assert.equal(taintsOf(node('True')), undefined);
    assert.deepEqual(taintsOf(node('False')), ['not-ready:NoSchedule', 'not-ready:NoExecute']);
    assert.deepEqual(taintsOf(node('Unknown')), ['unreachable:NoSchedule', 'unreachable:NoExecute']);
    assert.deepEqual(taintsOf(node('True', { disk: 'True' })), ['disk-pressure:NoSchedule']);
    assert.deepEqual(taintsOf(node('True', { unschedulable: true })), ['unschedulable:NoSchedule']);
  });
  it('go when it recovers, and those of others stay', () => {
    const taints = [
      { key: 'mine', effect: 'NoExecute' },
      taint('unreachable', 'NoExecute'),
      taint('unreachable', 'NoSchedule'),
    ];
    assert.deepEqual(taintsOf(node('True', { taints })), ['mine:NoExecute']);
  });
  it('keep the time at which they were added', () => {
    const taints = [taint('unreachable', 'NoExecute', '2026-01-01T00:00:00Z')];
    const planned = plannedTaints(node('Unknown', { taints }), true, nowIso);
    assert.deepEqual(
      planned?.map(({ timeAdded }) => timeAdded),
      [nowIso, '2026-01-01T00:00:00Z'],
    );
  });
  it('evict nobody in a large outage', () => {
    assert.deepEqual(taintsOf(node('Unknown'), false), ['unreachable:NoSchedule']);
    assert.deepEqual(
      [mayEvict(0, 1), mayEvict(1, 1), mayEvict(1, 2), mayEvict(2, 3), mayEvict(20, 40)],
      [false, true, true, false, true],
    );
  });
});

describe('the heartbeat', () => {
  it('is a change of the Lease or of the condition, by our own clock', () => {
    const first = nextHeartbeat(undefined, node('True'), 'a', 100);
    assert.equal(nextHeartbeat(first, node('True'), 'a', 200).atMs, 100);
    assert.equal(nextHeartbeat(first, node('True'), 'b', 200).atMs, 200);
  });
  it('missing makes all conditions Unknown, once', () => {
    const conditions = silentConditions(node('True'), nowIso) ?? [];
    assert.deepEqual(
      conditions.map(({ type, status, reason }) => [type, status, reason]),
      [
        ['Ready', 'Unknown', 'NodeStatusUnknown'],
        ['MemoryPressure', 'Unknown', 'NodeStatusNeverUpdated'],
        ['DiskPressure', 'Unknown', 'NodeStatusNeverUpdated'],
        ['PIDPressure', 'Unknown', 'NodeStatusNeverUpdated'],
      ],
    );
    const silent = node('True');
    silent.status = { conditions };
    assert.equal(silentConditions(silent, nowIso), undefined);
  });
});

describe('eviction', () => {
  const pod = (...tolerations: object[]): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', uid: 'p', creationTimestamp: nowIso, resourceVersion: '1' },
    spec: { containers: [], tolerations },
  });
  const added = Date.parse(nowIso);
  const taints = [taint('unreachable', 'NoExecute', nowIso)];
  const tolerate = (tolerationSeconds?: number): object => ({
    key: 'node.kubernetes.io/unreachable',
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds,
  });
  it('is at once without a toleration, never with an unlimited one, later with a limited one', () => {
    assert.equal(evictionTimeMs(pod(), taints, added), 0);
    assert.equal(evictionTimeMs(pod(tolerate()), taints, added), undefined);
    assert.equal(evictionTimeMs(pod(tolerate(300)), taints, added + 1000), added + 300_000);
    assert.equal(evictionTimeMs(pod(), [taint('unreachable', 'NoSchedule')], added), undefined);
  });
});

describe('the eviction of a node', () => {
  it('begins with its first taint that drives pods out, and not again', () => {
    const unreachable = taint('unreachable', 'NoExecute', nowIso);
    const closed = taint('unreachable', 'NoSchedule');
    assert.equal(beginsEviction(undefined, [closed, unreachable]), true);
    assert.equal(beginsEviction([closed], [closed, unreachable]), true);
    assert.equal(beginsEviction([closed, unreachable], [closed, unreachable]), false);
    assert.equal(beginsEviction([unreachable], []), false);
    assert.equal(beginsEviction(undefined, [closed]), false);
  });
});

describe('pod address ranges', () => {
  it('are the first free ones', () => {
    const cluster = parseCidr('10.244.0.0/16');
    const free = (...taken: string[]): string | undefined => {
      const found = nextFreeCidr(cluster, 24, taken.map(parseCidr));
      return found && formatCidr(found);
    };
    assert.equal(free(), '10.244.0.0/24');
    assert.equal(free('10.244.0.0/24', '10.244.2.0/24'), '10.244.1.0/24');
    assert.equal(free('10.244.0.0/17'), '10.244.128.0/24');
    assert.equal(free('192.168.0.0/24'), '10.244.0.0/24');
    assert.equal(free('10.0.0.0/8'), undefined);
    assert.throws(() => parseCidr('10.244.0.0'), /not an IPv4 range/);
    assert.throws(() => parseCidr('10.256.0.0/16'), /not an IPv4 range/);
  });
  it('property: never overlap, and run out only when all are given', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 28 }), fc.integer({ min: 0, max: 6 }), (bits, more) => {
        const cluster = { base: parseCidr('10.0.0.0/8').base, bits };
        const size = Math.min(bits + more, 32);
        const taken: Cidr[] = [];
        for (let next = nextFreeCidr(cluster, size, taken); next; next = nextFreeCidr(cluster, size, taken))
          taken.push(next);
        assert.equal(new Set(taken.map(formatCidr)).size, 2 ** (size - bits));
      }),
    );
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Node } from '../shared/api/generated/types.js';
import { eventually } from '../shared/clock/eventually.js';
import { seededRandom } from '../shared/clock/seeded-random.js';
import { TestCluster } from './lab/cluster.js';
import { assertNoneFailed, FaultDrill } from './lab/fault-drill.js';
import { runningContainers } from './lab/traces.js';

const seed = Number(process.env['KNARR_SEED'] ?? Date.now() % 1_000_000);
const turns = 4;
const roundsPerTurn = 3;
const longestPauseMs = 4_000;
/** Longer than the grace period of node monitoring: silence, not a word of the kubelet, is what makes nodes NotReady. */
const silenceMs = 55_000;

let drill: FaultDrill;
before(async () => {
  drill = await FaultDrill.start();
});
after(() => drill?.destroy());
TestCluster.explainFailures(() => drill?.cluster);

test('turn after turn of killed components and supervisors costs no request, no write and no container', async (t) => {
  t.diagnostic(`KNARR_SEED=${seed}`);
  const random = seededRandom(seed);
  const { cluster } = drill;
  await drill.survives(t, 300, async () => {
    for (let turn = 0; turn < turns; turn++) {
      for (let round = 0; round < roundsPerTurn; round++)
        t.diagnostic((await drill.killEachComponent(random, longestPauseMs)).join(', '));
      await drill.killSupervisor();
      await cluster.waitUntilHealthy();
    }
  });
});

test('the demo serves through a long stop of all processes, and nothing is evicted when they return', async () => {
  const { cluster } = drill;
  const before = await runningContainers(cluster.host);
  const load = drill.startLoad();
  await cluster.knarr(['stop']);
  await delay(silenceMs);
  await cluster.knarr(['start']);
  await cluster.waitUntilHealthy();
  await delay(5_000);
  assertNoneFailed(await load.end(), 100);
  assert.equal(await runningContainers(cluster.host), before);
});

describe('an engine that keeps containers alive without it', () => {
  test('is NotReady while it is away, and its pods are the same containers when it returns', async () => {
    const { cluster } = drill;
    // The engine reads this setting at its start; what ran under the other one dies with it.
    await cluster.host.stopEngine();
    await cluster.host.startEngine({ liveRestore: true });
    await cluster.waitUntilHealthy();
    for (const name of ['tf-serving-clothing-model', 'gateway'])
      await cluster.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=90s'], { timeoutMs: 100_000 });
    const before = await runningContainers(cluster.host);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await cluster.host.stopEngine(signal);
      await eventually(
        async () => {
          const { items } = await cluster.get<{ items: Node[] }>('nodes');
          for (const node of items)
            assert.equal(node.status?.conditions?.find((c) => c.type === 'Ready')?.status, 'False');
        },
        60_000,
        500,
      );
      await cluster.host.startEngine({ liveRestore: true });
      await cluster.waitUntilHealthy();
      assert.equal(await runningContainers(cluster.host), before, `after ${signal}`);
    }
  });
});

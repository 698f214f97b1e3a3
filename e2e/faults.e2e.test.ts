import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../shared/clock/eventually.js';
import { TestCluster } from './lab/cluster.js';
import { seededRandom } from '../shared/clock/seeded-random.js';
import { assertNoneFailed, FaultDrill } from './lab/fault-drill.js';

const seed = Number(process.env['KNARR_SEED'] ?? Date.now() % 1_000_000);
const longestPauseMs = 3_000;

let drill: FaultDrill;
before(async () => {
  drill = await FaultDrill.start();
});
after(() => drill?.destroy());
TestCluster.explainFailures(() => drill?.cluster);

test('no request fails, nothing acknowledged is lost and no container restarts while every component is killed', async (t) => {
  t.diagnostic(`KNARR_SEED=${seed}`);
  const random = seededRandom(seed);
  const { cluster } = drill;
  const written = await drill.survives(t, 50, async () => {
    t.diagnostic((await drill.killEachComponent(random, longestPauseMs)).join(', '));
    await drill.killSupervisor();
    await cluster.waitUntilHealthy();
  });
  assert.ok(written.acknowledged.length >= 20, `only ${written.acknowledged.length} writes were acknowledged`);
  await cluster.kubectl(['scale', 'deployment/gateway', '--replicas=3']);
  await cluster.kubectl(['rollout', 'status', 'deployment/gateway', '--timeout=60s']);
});

test('no request fails when a DNS pod and a model server die, by signal or by deletion', async (t) => {
  const { cluster } = drill;
  const load = drill.startLoad();
  for (const [namespace, label] of [
    ['kube-system', 'k8s-app=kube-dns'],
    ['default', 'app=tf-serving-clothing-model'],
  ] as const) {
    const pods = ['-n', namespace, '-l', label];
    const [crashing = '', leaving = ''] = (
      await cluster.kubectl(['get', 'pods', ...pods, '-o', 'jsonpath={.items[*].metadata.name}'])
    ).split(' ');
    const id = await cluster.kubectl([
      'get',
      'pod',
      '-n',
      namespace,
      crashing,
      '-o',
      'jsonpath={.status.containerStatuses[0].containerID}',
    ]);
    await cluster.host.run(['docker', 'kill', id.replace('docker://', '')]);
    await eventually(
      async () => {
        const status = await cluster.kubectl([
          'get',
          'pod',
          '-n',
          namespace,
          crashing,
          '-o',
          'jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}',
        ]);
        assert.equal(status, '1 true');
      },
      30_000,
      200,
    );
    await cluster.kubectl(['delete', 'pod', '-n', namespace, leaving], { timeoutMs: 60_000 });
    await cluster.kubectl(['wait', '--for=condition=Ready', 'pod', ...pods, '--timeout=60s']);
  }
  await delay(2_000);
  const sent = await load.end();
  t.diagnostic(`${sent.answered} pictures, the slowest ${sent.slowestMs} ms`);
  assertNoneFailed(sent, 50);
});

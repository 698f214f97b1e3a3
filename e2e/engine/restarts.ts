import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { runningContainers } from '../lab/traces.js';
import { create, type FindCluster, idle, isReady, pod, podWhere, shell, statusOf } from '../workloads/pod.js';

/** What runs on through the end of a kubelet, or of the engine. Nothing else may run on the cluster meanwhile. */
export function restartTests(cluster: FindCluster): void {
  const names = ['lasting-1', 'lasting-2'];
  const lasting = (): Promise<Pod[]> => Promise.all(names.map((name) => podWhere(cluster(), name, isReady)));
  const restartCounts = async (): Promise<number[]> => (await lasting()).map((found) => statusOf(found).restartCount);
  const allNotReady = (): Promise<void> =>
    eventually(
      async () => {
        for (const { status } of (await cluster().get<{ items: Node[] }>('nodes')).items) {
          const ready = status?.conditions?.find(({ type }) => type === 'Ready');
          assert.equal(ready?.status, 'False', ready?.message);
        }
      },
      60_000,
      300,
    );

  test('a killed kubelet returns and takes the containers as they are', async () => {
    await cluster().kubectl(['delete', 'deployments,pods', '--all', '--timeout=90s'], { timeoutMs: 100_000 });
    await create(
      cluster(),
      ...names.map((name, index) =>
        pod(name, {
          nodeSelector: { 'kubernetes.io/hostname': `node-${index + 1}` },
          containers: [shell('main', `echo started; ${idle}`)],
        }),
      ),
    );
    assert.deepEqual(await restartCounts(), [0, 0]);
    const before = await runningContainers(cluster().host);
    const pid = await cluster().pidOf('kubelet-node-1');
    process.kill(pid, 'SIGKILL');
    await eventually(async () => assert.notEqual(await cluster().pidOf('kubelet-node-1'), pid), 30_000, 300);
    await cluster().waitUntilHealthy();
    assert.equal(await cluster().kubectl(['exec', 'lasting-1', '--', 'echo', 'hello']), 'hello\n');
    assert.equal(await runningContainers(cluster().host), before);
  });

  test('an engine that ends takes the containers with it; its nodes are NotReady until it returns, then pods run again', async () => {
    await cluster().host.stopEngine();
    await allNotReady();
    await cluster().host.startEngine({ liveRestore: true });
    await cluster().waitUntilHealthy();
    await eventually(async () => assert.deepEqual(await restartCounts(), [1, 1]), 60_000, 300);
    assert.equal(await cluster().kubectl(['logs', 'lasting-2', '--previous']), 'started\n');
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const)
    test(`with live-restore, containers outlive an engine that ends by ${signal}`, async () => {
      const before = await runningContainers(cluster().host);
      await cluster().host.stopEngine(signal);
      await allNotReady();
      await cluster().host.startEngine({ liveRestore: true });
      await cluster().waitUntilHealthy();
      assert.equal(await runningContainers(cluster().host), before);
      assert.equal(await cluster().kubectl(['exec', 'lasting-2', '--', 'echo', 'hello']), 'hello\n');
    });
}

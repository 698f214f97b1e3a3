import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { NodeCondition } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { silentLog } from '../../shared/log/log.js';
import { DockerRuntime } from '../runtime/docker/docker-runtime.js';
import { KubeletWorld } from '../testing/kubelet-world.js';
import { SilentEngine, type Answers } from '../testing/silent-engine.js';

const podCIDR = '10.244.0.0/24';
const info = { ServerVersion: '20.10.24', OperatingSystem: 'x', KernelVersion: 'x', Architecture: 'x' };
const alive: Answers = (path) => {
  if (path.endsWith('/_ping')) return 'OK';
  if (path.endsWith('/info')) return info;
  if (path.includes('/networks/')) return { IPAM: { Config: [{ Subnet: podCIDR }] } };
  return path.endsWith('/json') ? [] : undefined;
};
/** As moby 20.10 when it has locked itself up: it is there, and tells nothing about containers. */
const deadlocked: Answers = (path, method) => (path.includes('/containers/') ? undefined : alive(path, method));

let world: KubeletWorld;
let engine: SilentEngine;
before(async () => {
  world = await KubeletWorld.open({ image: 'app:1', podCIDR });
  engine = await SilentEngine.open(alive);
});
after(async () => {
  await world.close();
  await engine.close();
});

test('a node whose engine hangs turns NotReady as the original does, and comes back with it', async () => {
  const clock = new FakeClock();
  const runtime = new DockerRuntime({ cluster: 'c', node: 'node-1', host: engine.host, clock, log: silentLog });
  await world.startKubelet(runtime, clock);
  const becomes = (status: string, stepMs: number): Promise<NodeCondition> =>
    eventually(async () => {
      await clock.advance(stepMs);
      const ready = await world.ready();
      assert.equal(ready.status, status, ready.message);
      return ready;
    }, 20_000);

  await becomes('True', 1_000);
  engine.answers = deadlocked;
  const healthyMs = clock.monotonic();
  const hung = await becomes('False', 2_000);
  assert.equal(hung.reason, 'KubeletNotReady');
  assert.match(
    hung.message ?? '',
    /^PLEG is not healthy: pleg was last seen active [3-9]m\d+s ago; threshold is 3m0s$/,
  );
  assert.ok(clock.monotonic() - healthyMs > 160_000);

  engine.answers = () => undefined;
  const dead = await eventually(async () => {
    await clock.advance(2_000);
    const ready = await world.ready();
    assert.match(ready.message ?? '', /container runtime is down/);
    return ready;
  }, 20_000);
  assert.match(
    dead.message ?? '',
    /^\[container runtime is down: the container engine did not answer within 30 s, PLEG is not healthy: /,
  );

  engine.answers = alive;
  await becomes('True', 5_000);
});

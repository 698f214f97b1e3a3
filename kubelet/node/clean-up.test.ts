import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock/clock.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { RuntimeError } from '../runtime/container-runtime.js';
import { HollowRuntime } from '../runtime/hollow/hollow-runtime.js';
import { containerConfigOf, sandboxConfigOf } from '../testing/runtime-configs.js';
import { cleanUpNode, stopPods } from './clean-up.js';

const sandbox = sandboxConfigOf('web', 'u');
const container = containerConfigOf('web:1', { name: 'web' });

test('stopped pods leave their containers and sandboxes behind, ended: the next start sees what it had run', async () => {
  const runtime = new HollowRuntime({ clock: systemClock, images: ['web:1'] });
  await runtime.ensureNetwork('10.244.0.0/24');
  const id = await runtime.runPodSandbox(sandbox);
  await runtime.startContainer(await runtime.createContainer(id, container, sandbox));
  await stopPods(runtime);
  assert.deepEqual(
    (await runtime.listContainers()).map((c) => [c.name, c.state]),
    [['web', 'exited']],
  );
  assert.deepEqual(
    (await runtime.listPodSandboxes()).map((s) => s.state),
    ['notReady'],
  );
  await stopPods(runtime);
});

/** An engine that does not let go of some containers; and counts how many removals run at once. */
class StuckRuntime extends HollowRuntime {
  readonly stuck = new Set<string>();
  most = 0;
  #running = 0;

  override async removeContainer(id: string): Promise<void> {
    this.most = Math.max(this.most, ++this.#running);
    await Promise.resolve();
    this.#running--;
    if (this.stuck.has(id)) throw new RuntimeError('Unavailable', 'did not answer "remove container" within 20 s');
    await super.removeContainer(id);
  }

  async runPod(index: number): Promise<string> {
    const config = { ...sandbox, pod: { namespace: 'default', name: `web-${index}`, uid: `u${index}` } };
    const id = await this.createContainer(await this.runPodSandbox(config), container, config);
    await this.startContainer(id);
    return id;
  }
}

async function stuckWorld(pods: number) {
  const clock = new FakeClock();
  const runtime = new StuckRuntime({ clock: systemClock, images: ['web:1'] });
  await runtime.ensureNetwork('10.244.0.0/24');
  const ids: string[] = [];
  for (let index = 0; index < pods; index++) ids.push(await runtime.runPod(index));
  const rootDirectory = await mkdtemp(join(tmpdir(), 'clean-up-'));
  await mkdir(join(rootDirectory, 'pods', 'u1'), { recursive: true });
  const killed: string[] = [];
  const clean = (onKill?: () => void): Promise<void> =>
    cleanUpNode({ runtime, rootDirectory, clock, killProcesses: async (id) => (killed.push(id), onKill?.()) });
  const close = (): Promise<void> => rm(rootDirectory, { recursive: true });
  return { clock, runtime, ids, rootDirectory, killed, clean, close };
}

test('cleaning up removes containers, sandboxes, network and files, four removals at a time', async () => {
  const { runtime, rootDirectory, clean, killed, close } = await stuckWorld(10);
  await clean();
  assert.deepEqual(await runtime.listAll(), []);
  assert.equal(runtime.most, 4);
  assert.deepEqual(killed, []);
  assert.deepEqual(await readdir(rootDirectory), []);
  await assert.rejects(runtime.runPodSandbox(sandbox), /no pod network/);
  await close();
});

test('a container that the engine does not let go has its processes killed, and is tried again', async () => {
  const { clock, runtime, ids, killed, clean, close } = await stuckWorld(3);
  runtime.stuck.add(ids[1] ?? '');
  const done = clean(() => runtime.stuck.clear());
  await clock.advance(5_000);
  await done;
  assert.deepEqual(killed, [ids[1]]);
  assert.deepEqual(await runtime.listAll(), []);
  await close();
});

test('after a minute it says which containers the engine does not remove and what to do; all others are gone', async () => {
  const { clock, runtime, ids, rootDirectory, clean, close } = await stuckWorld(3);
  runtime.stuck.add(ids[1] ?? '');
  const done = assert.rejects(clean(), (error: Error) => {
    assert.match(
      error.message,
      /^the container engine does not remove container web of pod default\/web-1 \(\w{12}\), the sandbox of pod default\/web-1 \(\w{12}\) within 60 s \(did not answer "remove container" within 20 s\): restart the engine \(systemctl restart docker\), then run knarr down again$/,
    );
    return true;
  });
  await clock.advance(60_000);
  await done;
  assert.deepEqual(
    (await runtime.listAll()).map(({ pod }) => pod.name),
    ['web-1', 'web-1'],
  );
  assert.deepEqual(await readdir(rootDirectory), ['pods'], 'what is left may still use its files');
  await close();
});

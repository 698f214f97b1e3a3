import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../shared/clock/clock.js';
import type { ContainerRuntime } from '../runtime/container-runtime.js';

/** A container whose file system is still in use somewhere is left by the engine half removed; later it can be. */
const ROUNDS = 40;
const PAUSE_MS = 250;

/** Undoes on the host what the kubelet of this node has done: containers, sandboxes, the network, files of pods. */
export async function cleanUpNode(
  runtime: ContainerRuntime,
  rootDirectory: string,
  clock: Pick<Clock, 'sleep'>,
): Promise<void> {
  for (let round = 1; ; round++) {
    try {
      if ((await removeAll(runtime)) === 0) break;
    } catch (error) {
      if (round === ROUNDS) throw error;
    }
    if (round === ROUNDS) throw new Error('the container engine did not remove all containers of this node');
    // The first look after a removal usually finds nothing.
    if (round > 1) await clock.sleep(PAUSE_MS);
  }
  await runtime.removeNetwork();
  await rm(join(rootDirectory, 'pods'), { recursive: true, force: true });
}

/** Removes what is there; returns how much that was. */
async function removeAll(runtime: ContainerRuntime): Promise<number> {
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);
  await Promise.all(
    containers.map(async (container) => {
      await runtime.stopContainer(container.id, 0);
      await runtime.removeContainer(container.id);
    }),
  );
  await Promise.all(sandboxes.map((sandbox) => runtime.removePodSandbox(sandbox.id)));
  return sandboxes.length + containers.length;
}

/** What a pod gets that says nothing of its own; what it does say only the API knows, and that may be gone already. */
const graceSeconds = 30;

/** Ends all that runs for this node, as a machine does that is switched off. What is left behind tells the next start what to run again. */
export async function stopPods(runtime: ContainerRuntime): Promise<void> {
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);
  const running = containers.filter((container) => container.state === 'running');
  await Promise.all(running.map((container) => runtime.stopContainer(container.id, graceSeconds)));
  await Promise.all(sandboxes.map((sandbox) => runtime.stopPodSandbox(sandbox.id)));
}

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerRuntime } from '../runtime/container-runtime.js';

/** Undoes on the host what the kubelet of this node has done: containers, sandboxes, the network, files of pods. */
export async function cleanUpNode(runtime: ContainerRuntime, rootDirectory: string): Promise<void> {
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);
  await Promise.all(
    containers.map(async (container) => {
      await runtime.stopContainer(container.id, 0);
      await runtime.removeContainer(container.id);
    }),
  );
  await Promise.all(sandboxes.map((sandbox) => runtime.removePodSandbox(sandbox.id)));
  await runtime.removeNetwork();
  await rm(join(rootDirectory, 'pods'), { recursive: true, force: true });
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

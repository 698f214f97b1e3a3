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

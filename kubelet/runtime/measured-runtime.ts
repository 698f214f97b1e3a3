import type { ContainerRuntime } from './container-runtime.js';

/** The CRI's names of the verbs that are counted, as the original's metrics label them. */
const operations: Partial<Record<keyof ContainerRuntime, string>> = {
  version: 'version',
  runPodSandbox: 'run_podsandbox',
  stopPodSandbox: 'stop_podsandbox',
  removePodSandbox: 'remove_podsandbox',
  listPodSandboxes: 'list_podsandbox',
  createContainer: 'create_container',
  startContainer: 'start_container',
  updateContainer: 'update_container',
  stopContainer: 'stop_container',
  removeContainer: 'remove_container',
  listContainers: 'list_containers',
  containerStatus: 'container_status',
  imageStatus: 'image_status',
  pullImage: 'pull_image',
  listImages: 'list_images',
  removeImage: 'remove_image',
  stats: 'list_container_stats',
};

/** Told after every verb of the runtime. */
export type OnOperation = (operation: string, durationMs: number, hasFailed: boolean) => void;

/** The same runtime; whoever is interested hears of every operation that has a name with the original. */
export function measuredRuntime(runtime: ContainerRuntime, onOperation: OnOperation): ContainerRuntime {
  const measured = async (operation: string, work: () => Promise<unknown>): Promise<unknown> => {
    const startMs = performance.now();
    let hasFailed = true;
    try {
      const result = await work();
      hasFailed = false;
      return result;
    } finally {
      onOperation(operation, performance.now() - startMs, hasFailed);
    }
  };
  return new Proxy(runtime, {
    get(target, key) {
      const verb: unknown = Reflect.get(target, key, target);
      if (typeof verb !== 'function') return verb;
      const call = verb as (...args: unknown[]) => unknown;
      const operation = operations[key as keyof ContainerRuntime];
      if (operation === undefined) return (...args: unknown[]) => call.apply(target, args);
      return (...args: unknown[]) => measured(operation, async () => call.apply(target, args));
    },
  });
}

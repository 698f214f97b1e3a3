import { access } from 'node:fs/promises';
import type { Clock } from '../shared/clock/clock.js';
import type { Log } from '../shared/log/log.js';

const longestDelayMs = 1_000;

/** On a joining host the kubelet writes the node's kubeconfig, once the cluster has certified the node. Throws an AbortError when stopped before. */
export async function waitForKubeconfig(
  path: string,
  { clock, log, signal }: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<void> {
  for (let delayMs = 50; !(await exists(path)); delayMs = Math.min(delayMs * 1.5, longestDelayMs)) {
    if (delayMs === 50) log.info("waiting for the node's kubeconfig", { path });
    await clock.sleep(delayMs, signal);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

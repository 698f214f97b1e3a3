import { readFile } from 'node:fs/promises';
import { pause, type Clock } from '../clock/clock.js';
import type { Client } from './client.js';
import type { ReplaceableClient } from './replaceable-client.js';

export interface FollowOptions {
  readonly path: string;
  /** Its text when `client` was connected with it. */
  readonly text: string;
  readonly client: Pick<ReplaceableClient, 'replace'>;
  /** Connects with what the file says now. */
  readonly connect: () => Promise<Client>;
  readonly clock: Clock;
  readonly onReload?: () => void;
  /** Called when the file cannot be used; the client stays as it is and the file is looked at again. */
  readonly onProblem?: (error: unknown) => void;
}

/** Certificates are renewed long before they expire. */
const periodMs = 30_000;

/**
 * Connects anew whenever a kubeconfig changes, as when the kubelet has renewed the certificate in it. Looks at the text every
 * half a minute: a file that is replaced by renaming has no watch that is worth its trouble. Runs until aborted.
 */
export async function followKubeconfig(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { path, client, connect, clock, onReload, onProblem } = options;
  let known = options.text;
  while (!signal.aborted) {
    await pause(clock, periodMs, signal);
    if (signal.aborted) return;
    try {
      const text = await readFile(path, 'utf8');
      if (text === known) continue;
      client.replace(await connect());
      known = text;
      onReload?.();
    } catch (error) {
      onProblem?.(error);
    }
  }
}

import { isDeepStrictEqual } from 'node:util';
import { pods } from '../../shared/api/generated/resources.js';
import type { Pod, PodStatus } from '../../shared/api/generated/types.js';
import type { Client } from '../../shared/client/client.js';
import { pause, type Clock } from '../../shared/clock/clock.js';
import { isAbort, isConflict, isNotFound } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import { mergeConditions } from './pod-conditions.js';

export interface StatusManagerOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

interface Entry {
  /** What the API is known to hold. */
  base: Pod;
  desired: PodStatus;
  /** What the server made of our last write: need not be written again. */
  accepted: { readonly sent: PodStatus; readonly stored: PodStatus | undefined } | undefined;
  writing: Promise<void> | undefined;
}

/** Writes pods' statuses, at once and only when they change; one write per pod at a time, the newest wins. */
export class StatusManager {
  readonly #options: StatusManagerOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: StatusManagerOptions) {
    this.#options = options;
  }

  set(pod: Pod, desired: PodStatus): void {
    const uid = pod.metadata.uid ?? '';
    const entry = this.#entries.get(uid) ?? { base: pod, desired, accepted: undefined, writing: undefined };
    entry.desired = desired;
    this.#entries.set(uid, entry);
    entry.writing ??= this.#write(uid, entry).finally(() => {
      entry.writing = undefined;
    });
  }

  /** The watch saw the pod. While a write is under way its answer is newer. */
  observe(pod: Pod): void {
    const entry = this.#entries.get(pod.metadata.uid ?? '');
    if (entry && !entry.writing) entry.base = pod;
  }

  /** This version of the pod is what our own last write made. */
  isOwnWrite(pod: Pod): boolean {
    const entry = this.#entries.get(pod.metadata.uid);
    return entry?.accepted !== undefined && entry.base.metadata.resourceVersion === pod.metadata.resourceVersion;
  }

  /** The newest status that was asked for. */
  latest(uid: string): PodStatus | undefined {
    return this.#entries.get(uid)?.desired;
  }

  /** Resolves when the newest status is written, or the pod is gone. */
  async flush(uid: string): Promise<void> {
    await this.#entries.get(uid)?.writing;
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  async #write(uid: string, entry: Entry): Promise<void> {
    const { clock, log, signal } = this.#options;
    for (let failures = 0; needsWrite(entry) && !signal.aborted && this.#entries.get(uid) === entry;) {
      try {
        await this.#writeOnce(entry);
        failures = 0;
      } catch (error) {
        if (isAbort(error) && signal.aborted) return;
        if (isNotFound(error)) {
          this.#entries.delete(uid);
          return;
        }
        failures++;
        const { namespace, name } = entry.base.metadata;
        if (failures === 3) log.warn('a pod status cannot be written yet', { pod: `${namespace}/${name}`, error });
        await pause(clock, Math.min(100 * 2 ** failures, 5000), signal);
      }
    }
  }

  async #writeOnce(entry: Entry): Promise<void> {
    const { client, signal } = this.#options;
    const { desired, base } = entry;
    try {
      const stored = await client.updateStatus(pods, { ...base, status: merge(desired, base.status) }, { signal });
      entry.base = stored;
      entry.accepted = { sent: desired, stored: stored.status };
    } catch (error) {
      if (!isConflict(error)) throw error;
      const { name, namespace, uid } = base.metadata;
      const fresh = await client.get(pods, name, namespace, { signal });
      // Another pod of the same name: ours is gone.
      if (fresh.metadata.uid !== uid) this.#entries.delete(uid ?? '');
      else entry.base = fresh;
    }
  }
}

function needsWrite({ base, desired, accepted }: Entry): boolean {
  if (isDeepStrictEqual(plain(desired), plain(base.status))) return false;
  if (!accepted || !isDeepStrictEqual(accepted.sent, desired)) return true;
  return !isDeepStrictEqual(plain(accepted.stored), plain(base.status));
}

/** Conditions of others stay as the API has them. */
function merge(desired: PodStatus, current: PodStatus | undefined): PodStatus {
  return { ...desired, conditions: mergeConditions(desired.conditions, current?.conditions) };
}

/** Frozen objects of a cache and fields that are undefined compare as they travel. */
const plain = (status: PodStatus | undefined): unknown => JSON.parse(JSON.stringify(status ?? {}));

import type { Pod, Volume } from '../../shared/api/generated/types.js';
import { pause, type Clock } from '../../shared/clock/clock.js';
import { isPodActive } from '../../shared/api/pod.js';
import type { Log } from '../../shared/log/log.js';
import type { VolumeManager } from './volume-manager.js';

export interface VolumeRefresherOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly volumes: VolumeManager;
  readonly pods: () => readonly Pod[];
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  readonly periodMs?: number;
}

/** Brings the volumes of running pods up to date, so that a change is seen within a minute and tokens never run out. */
export class VolumeRefresher {
  readonly #options: VolumeRefresherOptions;

  constructor(options: VolumeRefresherOptions) {
    this.#options = options;
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, pods, periodMs = 25_000 } = this.#options;
    while (!signal.aborted) {
      await pause(clock, periodMs, signal);
      for (const pod of pods()) {
        if (signal.aborted) return;
        if (isPodActive(pod) && hasStarted(pod) && pod.spec.volumes?.some(isRefreshed)) await this.#refresh(pod);
      }
    }
  }

  async #refresh(pod: Pod): Promise<void> {
    const { volumes, nodeName, hostIPs, log } = this.#options;
    try {
      const podIPs = (pod.status?.podIPs ?? []).map((entry) => entry.ip);
      await volumes.refresh(pod, { nodeName, hostIPs, podIPs });
    } catch (error) {
      // What is mounted stays as it is; the next turn tries again.
      log.debug('volumes of a pod were not refreshed', { pod: pod.metadata.name, error });
    }
  }
}

/** Before that its worker makes the volumes, and two writers at once would be one too many. */
const hasStarted = (pod: Pod): boolean => (pod.status?.containerStatuses ?? []).some((status) => status.state?.running);

const isRefreshed = (volume: Volume): boolean =>
  !!(volume.configMap ?? volume.secret ?? volume.projected ?? volume.downwardAPI);

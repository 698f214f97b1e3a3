import { events } from '../../shared/api/generated/resources.js';
import type { Event } from '../../shared/api/generated/types.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { systemWrite } from './system-objects.js';

const usualLifetimeMs = 60 * 60_000;
const intervalMs = 60_000;
/** Deleted in one round at most, so that a sweep never holds up other writes. */
const maxPerRound = 2_000;

/** Forgets Events some time after they were last written: an hour, unless it is told otherwise. */
export class EventSweeper {
  readonly #registry: ResourceRegistry;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #lifetimeMs: number;
  #cancel: () => void = () => {};

  constructor(
    registry: ResourceRegistry,
    { clock, log, lifetimeMs }: { readonly clock: Clock; readonly log: Log; readonly lifetimeMs?: number | undefined },
  ) {
    this.#lifetimeMs = lifetimeMs ?? usualLifetimeMs;
    this.#registry = registry;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    this.#cancel = this.#clock.schedule(intervalMs, () => {
      this.sweep().catch((error: unknown) => this.#log.warn('old events could not be deleted', { error }));
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
  }

  async sweep(): Promise<void> {
    const served = this.#registry.find(events.group, events.version, events.resource);
    if (!served) return;
    const beforeMs = this.#clock.now() - this.#lifetimeMs;
    const old = [];
    for (const cached of served.store.cache.objects()) {
      if (lastWrittenMs(cached.object as unknown as Event) < beforeMs) old.push(cached);
      if (old.length === maxPerRound) break;
    }
    if (old.length > 0) await served.deleter.deleteAll(old, {}, systemWrite);
  }
}

/** What an event says of when it happened is its recorder's word; it lives from when it was written. */
function lastWrittenMs({ metadata }: Event): number {
  const times = [metadata?.creationTimestamp, ...(metadata?.managedFields ?? []).map(({ time }) => time)];
  return Math.max(...times.map((time) => Date.parse(String(time ?? '')) || 0));
}

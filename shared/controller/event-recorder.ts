import { events } from '../api/generated/resources.js';
import type { ObjectReference } from '../api/generated/types.js';
import type { KubernetesObject } from '../api/object.js';
import type { Client } from '../client/client.js';
import { pause, type Clock } from '../clock/clock.js';
import { isForbidden, isNotFound, StatusError } from '../errors/status-error.js';
import type { Log } from '../log/log.js';
import { EventCorrelator, type Correlation, type EventType, type Occurrence } from './event-correlator.js';

/** Tells people what was done to an object. Never waits and never fails: events are best effort. */
export interface EventRecorder {
  event(object: KubernetesObject | ObjectReference, type: EventType, reason: string, message: string): void;
}

export interface EventRecorderOptions {
  readonly client: Pick<Client, 'create' | 'patch'>;
  readonly clock: Clock;
  readonly log: Log;
  /** e.g. `deployment-controller`. */
  readonly component: string;
  /** The node it runs on, for node components. */
  readonly host?: string;
}

/**
 * The original's recorder keeps 1,000 events (2,000 with what its broadcaster holds) and drops what comes then; but its
 * scheduler's starts a goroutine for each, so that none of a burst of `Scheduled` is lost while they wait for their turn.
 * Ours writes one after another, so that events never compete with the bindings they tell of; it must keep the burst
 * meanwhile: the pods of a hundred nodes, a few megabytes.
 */
const maxQueued = 10_000;
const maxAttempts = 4;
const maxMessageLength = 1024;

/** Writes Events of the core group, counted and combined as the original's; see {@link EventCorrelator}. */
export class ApiEventRecorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #correlator = new EventCorrelator();
  readonly #queue: Occurrence[] = [];
  readonly #stopping = new AbortController();
  #writing: Promise<void> | undefined;
  #sequence = 0;
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  event(object: KubernetesObject | ObjectReference, type: EventType, reason: string, message: string): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#queue.length >= maxQueued) {
      // Told once per thousand: a log line for each would be the flood that the bound prevents.
      if (this.#dropped++ % 1000 === 0) this.#options.log.warn('too many events at once, some are lost', { reason });
      return;
    }
    const text = message.length > maxMessageLength ? `${message.slice(0, maxMessageLength - 4)} ...` : message;
    this.#queue.push({ involvedObject: referenceTo(object), type, reason, message: text });
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when all that was told so far is written or given up. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Ends after at most `graceMs` for what is still queued. */
  async stop(graceMs = 1_000): Promise<void> {
    const cancel = this.#options.clock.schedule(graceMs, () => this.#stopping.abort());
    await this.#writing;
    cancel();
    this.#stopping.abort();
  }

  async #drain(): Promise<void> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      if (this.#stopping.signal.aborted) return;
      const correlation = this.#correlator.correlate(next, this.#options.clock.now());
      if (correlation.action === 'drop') continue;
      await this.#write(next, correlation);
    }
  }

  async #write(occurrence: Occurrence, correlation: Exclude<Correlation, { action: 'drop' }>): Promise<void> {
    const { clock, log } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        if (correlation.action === 'patch' && (await this.#patch(correlation))) return;
        await this.#create(occurrence, correlation);
        return;
      } catch (error) {
        // What the server refuses it refuses again (a namespace that goes away, say); what the network lost may arrive.
        const refused = error instanceof StatusError && error.code < 500;
        if (refused || attempt >= maxAttempts || this.#stopping.signal.aborted) {
          if (!isForbidden(error) && !isNotFound(error)) {
            log.debug('an event was lost', { reason: occurrence.reason, error: (error as Error).message });
          }
          return;
        }
        await pause(clock, 500 * 2 ** attempt, this.#stopping.signal);
      }
    }
  }

  /** False when the Event is gone, and must be made anew. */
  async #patch(correlation: Extract<Correlation, { action: 'patch' }>): Promise<boolean> {
    const { client, clock } = this.#options;
    const { key, message, recorded } = correlation;
    const count = recorded.count + 1;
    const change = { count, message, lastTimestamp: time(clock.now()) };
    try {
      const { signal } = this.#stopping;
      await client.patch(events, recorded.name, recorded.namespace, 'strategic', change, { signal });
      this.#correlator.record(key, { ...recorded, count });
      return true;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#correlator.forget(key);
      return false;
    }
  }

  async #create(occurrence: Occurrence, correlation: { key: string; message: string }): Promise<void> {
    const { client, clock, component, host } = this.#options;
    const { involvedObject, type, reason } = occurrence;
    const nowMs = clock.now();
    const firstTimestamp = time(nowMs);
    const namespace = involvedObject.namespace ?? 'default';
    // The original appends the time in nanoseconds; the sequence stands for those that our clock lacks.
    const suffix = (BigInt(Math.floor(nowMs)) * 1_000_000n + BigInt(this.#sequence++ % 1_000_000)).toString(16);
    const name = `${(involvedObject.name ?? '').slice(0, 253 - 17)}.${suffix}`;
    await client.create(
      events,
      {
        metadata: { name, namespace },
        involvedObject,
        type,
        reason,
        message: correlation.message,
        source: { component, ...(host ? { host } : {}) },
        reportingComponent: component,
        reportingInstance: host ?? '',
        firstTimestamp,
        lastTimestamp: firstTimestamp,
        count: 1,
      },
      { signal: this.#stopping.signal },
    );
    this.#correlator.record(correlation.key, { name, namespace, firstTimestamp, count: 1 });
  }
}

/** A reference that names exactly this object in this version. */
export function referenceTo(object: KubernetesObject | ObjectReference): ObjectReference {
  if (!('metadata' in object)) return object;
  const { name, namespace, uid, resourceVersion } = object.metadata;
  const { apiVersion, kind } = object;
  return { apiVersion, kind, name, ...(namespace ? { namespace } : {}), uid, resourceVersion };
}

/** RFC 3339 in whole seconds: the API's Time. */
function time(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

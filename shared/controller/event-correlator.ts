import type { ObjectReference } from '../api/generated/types.js';

export type EventType = 'Normal' | 'Warning';

/** What happened to an object, before it became an Event of the API. */
export interface Occurrence {
  readonly involvedObject: ObjectReference;
  readonly type: EventType;
  readonly reason: string;
  readonly message: string;
}

/** An Event that exists on the server, as we last wrote it. */
export interface Recorded {
  readonly name: string;
  readonly namespace: string;
  readonly firstTimestamp: string;
  readonly count: number;
}

/** What to do with an occurrence. */
export type Correlation =
  | { readonly action: 'drop' }
  | { readonly action: 'create'; readonly key: string; readonly message: string }
  | { readonly action: 'patch'; readonly key: string; readonly message: string; readonly recorded: Recorded };

const maxEntries = 4096;
/** More than so many different messages about one thing within ten minutes are told as one. */
const maxSimilar = 10;
const similarWindowMs = 600_000;
/** Of one source about one object: so many events at once, then one every five minutes. */
const spamBurst = 25;
const spamRefillMs = 300_000;

interface Similar {
  messages: Set<string>;
  lastMs: number;
}
interface Bucket {
  tokens: number;
  filledMs: number;
}

/**
 * Decides, as client-go's EventCorrelator does, whether an occurrence is a new Event, one more of an old one, or noise.
 * Everything it remembers is bounded; the longest unused goes first.
 */
export class EventCorrelator {
  readonly #similar = new Map<string, Similar>();
  readonly #buckets = new Map<string, Bucket>();
  readonly #recorded = new Map<string, Recorded>();

  correlate(occurrence: Occurrence, nowMs: number): Correlation {
    const object = objectText(occurrence.involvedObject);
    if (!this.#allow(object, nowMs)) return { action: 'drop' };
    const group = [object, occurrence.type, occurrence.reason].join('\0');
    const message = this.#isCrowd(group, occurrence.message, nowMs)
      ? `(combined from similar events): ${occurrence.message}`
      : occurrence.message;
    // Combined events are one series whatever their messages say.
    const key = message === occurrence.message ? `${group}\0${message}` : group;
    const recorded = touch(this.#recorded, key);
    return recorded ? { action: 'patch', key, message, recorded } : { action: 'create', key, message };
  }

  /** The Event of that key is on the server in this state. */
  record(key: string, recorded: Recorded): void {
    put(this.#recorded, key, recorded);
  }

  /** The Event of that key is not on the server any more. */
  forget(key: string): void {
    this.#recorded.delete(key);
  }

  #isCrowd(group: string, message: string, nowMs: number): boolean {
    let similar = touch(this.#similar, group);
    if (!similar || nowMs - similar.lastMs > similarWindowMs) {
      similar = { messages: new Set(), lastMs: nowMs };
      put(this.#similar, group, similar);
    }
    similar.lastMs = nowMs;
    similar.messages.add(message);
    if (similar.messages.size < maxSimilar) return false;
    const [oldest] = similar.messages;
    if (oldest !== undefined) similar.messages.delete(oldest);
    return true;
  }

  #allow(object: string, nowMs: number): boolean {
    let bucket = touch(this.#buckets, object);
    if (!bucket) {
      bucket = { tokens: spamBurst, filledMs: nowMs };
      put(this.#buckets, object, bucket);
    }
    bucket.tokens = Math.min(spamBurst, bucket.tokens + (nowMs - bucket.filledMs) / spamRefillMs);
    bucket.filledMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}

function objectText(object: ObjectReference): string {
  return [object.apiVersion, object.kind, object.namespace, object.name, object.uid, object.fieldPath].join('\0');
}

/** Reads an entry and makes it the last to be dropped. */
function touch<V>(map: Map<string, V>, key: string): V | undefined {
  const value = map.get(key);
  if (value !== undefined) {
    map.delete(key);
    map.set(key, value);
  }
  return value;
}

function put<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= maxEntries) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

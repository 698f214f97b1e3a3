import { StorageCompactedError, type Storage, type StorageEvent } from '../storage/storage.js';
import type { CacheEvent } from './event-ring.js';
import type { WatchCache } from './watch-cache.js';

const maxEvents = 100_000;
const maxBytes = 64 * 1024 * 1024;

/**
 * The changes of a collection above `revision` up to now, from the store's history: for a watch that resumes from before
 * the ring. Too many of them count as too old, since a list is then the cheaper way for everybody.
 */
export async function readHistory(storage: Storage, cache: WatchCache, revision: number): Promise<CacheEvent[]> {
  const found: CacheEvent[] = [];
  let bytes = 0;
  const abort = new AbortController();
  const listener = (events: readonly StorageEvent[]): void => {
    for (const event of events) {
      found.push(toCacheEvent(event, cache));
      bytes += event.value.length;
    }
    if (found.length > maxEvents || bytes > maxBytes) abort.abort();
  };
  const stop = await storage.watch(cache.prefix, revision, listener, { signal: abort.signal });
  stop();
  if (abort.signal.aborted) throw new StorageCompactedError(storage.revision);
  return found;
}

function toCacheEvent({ type, key, value, revision, previous }: StorageEvent, cache: WatchCache): CacheEvent {
  const before = previous && cache.objectOf({ key, ...previous, createRevision: 0 });
  const current = cache.objectOf({ key, value, revision, createRevision: 0 });
  if (type === 'delete') return { type: 'DELETED', revision, current, previous: before ?? current };
  return { type: before ? 'MODIFIED' : 'ADDED', revision, current, previous: before };
}

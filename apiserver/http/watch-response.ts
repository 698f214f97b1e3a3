import type { Writable } from 'node:stream';
import type { Clock } from '../../shared/clock/clock.js';
import type { StatusError } from '../../shared/errors/status-error.js';
import type { CacheHub } from '../cache/cache-hub.js';
import type { CachedObject } from '../cache/cached-object.js';
import type { CacheEvent } from '../cache/event-ring.js';
import type { FanOut } from '../cache/fan-out.js';
import type { FrameCache, Representation } from '../cache/frames.js';
import { readHistory } from '../cache/history.js';
import type { ListOptions } from '../cache/list-options.js';
import type { Selection } from '../cache/selection.js';
import type { WatchCache } from '../cache/watch-cache.js';
import { Watcher, type WatchSink } from '../cache/watcher.js';
import { expired, resourceVersionTooLarge } from '../registry/status-errors.js';
import { StorageCompactedError, StorageFutureRevisionError, type Storage } from '../storage/storage.js';
import type { Exchange } from './exchange.js';
import { commonHeaders, writeHead } from './respond.js';

export interface WatchDependencies {
  readonly hub: CacheHub;
  readonly storage: Storage;
  readonly fanOut: FanOut;
  readonly frames: FrameCache;
  readonly clock: Clock;
  readonly random: () => number;
}

export interface WatchRequest {
  readonly cache: WatchCache;
  readonly prefix: string;
  readonly selection: Selection;
  readonly options: ListOptions;
  readonly representation: Representation;
  readonly firstRepresentation?: Representation;
  readonly contentType: string;
  /** An event that tells of no stored object: a bookmark or an error. */
  readonly notice: (type: 'BOOKMARK' | 'ERROR', object: object) => Buffer;
  /** kind and apiVersion of bookmarks. */
  readonly typeMeta: { readonly kind: string; readonly apiVersion: string };
}

interface Start {
  readonly position: number;
  readonly initial: readonly CachedObject[];
  readonly history: readonly CacheEvent[];
  /** What `initial` is a snapshot of. */
  readonly revision: number;
  readonly error?: StatusError;
}

const minTimeoutMs = 30 * 60_000;

/** Answers a watch: headers at once, then events as they happen. */
export async function serveWatch(exchange: Exchange, request: WatchRequest, given: WatchDependencies): Promise<void> {
  const { response } = exchange;
  const start = await startOf(request, given);
  writeHead(response, 200, { ...commonHeaders(exchange), 'content-type': request.contentType });
  // An idle watch must not keep its headers back.
  if ('flushHeaders' in response) response.flushHeaders();
  if (start.error) {
    response.end(request.notice('ERROR', start.error.toStatus()));
    return;
  }
  open(exchange, request, given, start);
}

function open(exchange: Exchange, request: WatchRequest, given: WatchDependencies, start: Start): void {
  const { cache, options } = request;
  const out = exchange.response as Writable;
  const sink: WatchSink = {
    write: (chunk) => out.destroyed || out.write(chunk),
    end: () => void out.end(),
  };
  const timeoutMs =
    options.timeoutSeconds === undefined || options.timeoutSeconds <= 0
      ? minTimeoutMs * (1 + given.random())
      : options.timeoutSeconds * 1000;
  const watcher = new Watcher({
    cache,
    prefix: request.prefix,
    selection: request.selection,
    representation: request.representation,
    ...(request.firstRepresentation ? { firstRepresentation: request.firstRepresentation } : {}),
    frames: given.frames,
    sink,
    clock: given.clock,
    ...start,
    bookmark: options.allowWatchBookmarks
      ? () => request.notice('BOOKMARK', bookmark(request.typeMeta, given.hub.revisionOf(cache)))
      : undefined,
    // Of the moment of the snapshot: what happened since comes after it.
    initialEnd:
      options.allowWatchBookmarks && options.sendInitialEvents === true
        ? request.notice(
            'BOOKMARK',
            bookmark(request.typeMeta, start.revision, { 'k8s.io/initial-events-end': 'true' }),
          )
        : undefined,
    timeoutMs,
    tooOld: () => request.notice('ERROR', expired(`too old resource version: the watch has fallen behind`).toStatus()),
    onEnd: () => given.fanOut.remove(cache, watcher),
  });
  out.on('drain', () => watcher.drained());
  out.on('close', () => watcher.close());
  out.on('error', () => watcher.close());
  given.fanOut.add(cache, watcher);
  watcher.pump();
}

/** Where the stream begins, decided together with the snapshot so that no change falls between. */
async function startOf(request: WatchRequest, given: WatchDependencies): Promise<Start> {
  const { cache, options, prefix, selection } = request;
  const { ring } = cache;
  const from = options.resourceVersion ?? 0;
  const live: Start = { position: ring.endPosition, initial: [], history: [], revision: given.hub.revisionOf(cache) };
  if (options.sendInitialEvents === true) {
    if (from > given.hub.revisionOf(cache)) throw resourceVersionTooLarge(from, given.hub.revisionOf(cache));
    const { index } = selection;
    const initial = index
      ? cache.byIndex(index.by, index.value).filter(({ key }) => key.startsWith(prefix))
      : cache.snapshot(prefix);
    return { ...live, initial };
  }
  if (from === 0) return live;
  const position = ring.positionAfter(from);
  if (position !== undefined) return { ...live, position };
  // What was there before a cache that follows another one was never converted.
  if (cache.followed) return { ...live, error: expired(`too old resource version: ${from} (${ring.baseRevision})`) };
  try {
    const history = await readHistory(given.storage, cache, from);
    return { ...live, position: ring.endPosition, history };
  } catch (error) {
    if (error instanceof StorageFutureRevisionError) return live;
    if (!(error instanceof StorageCompactedError)) throw error;
    return { ...live, error: expired(`too old resource version: ${from} (${error.compactedRevision})`) };
  }
}

function bookmark(
  { kind, apiVersion }: WatchRequest['typeMeta'],
  revision: number,
  annotations?: Record<string, string>,
): object {
  const metadata = {
    resourceVersion: String(revision),
    creationTimestamp: null,
    ...(annotations ? { annotations } : {}),
  };
  return { kind, apiVersion, metadata };
}

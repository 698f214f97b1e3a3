import { badRequest } from '../../shared/errors/bad-request.js';
import { decodeContinue, encodeContinue, type ContinueToken } from './continue-token.js';
import { expired, ExpiredContinueError, resourceVersionTooLarge } from '../registry/status-errors.js';
import { StorageCompactedError, StorageFutureRevisionError, type Storage } from '../storage/storage.js';
import type { CachedObject } from './cached-object.js';
import type { ListOptions } from './list-options.js';
import type { Selection } from './selection.js';
import type { WatchCache } from './watch-cache.js';

/** One page of a list. */
export interface ListResult {
  readonly objects: readonly CachedObject[];
  /** resourceVersion of the snapshot. */
  readonly revision: number;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface ListRequest {
  readonly cache: WatchCache;
  /** Revision that all caches have reached. */
  readonly currentRevision: number;
  readonly storage: Storage;
  /** Collection, or the part of it that is one namespace. */
  readonly prefix: string;
  readonly selection: Selection;
  readonly options: ListOptions;
}

/**
 * Answers a list. The latest state comes from the cache; a page of an older snapshot comes from the cache as well as
 * long as nothing in the collection has changed since, and from the history of the store otherwise.
 */
export async function readList(request: ListRequest): Promise<ListResult> {
  const { options, currentRevision } = request;
  if (options.continue !== '') return continueList(request, decodeContinue(options.continue));
  // Any state will do: it is given whole, as the original does.
  if (options.resourceVersion === 0) return readLatest({ ...request, options: { ...options, limit: 0 } }, undefined);
  const requested = options.resourceVersion ?? 0;
  if (requested > currentRevision) throw resourceVersionTooLarge(requested, currentRevision);
  const isExact =
    options.resourceVersionMatch === 'Exact' ||
    // A limit with a resourceVersion and no match rule means exact, as in the original.
    (requested > 0 && options.limit > 0 && options.resourceVersionMatch === '');
  if (isExact && requested > 0) return readAt(request, requested, undefined, false);
  return readLatest(request, undefined);
}

async function continueList(request: ListRequest, token: ContinueToken): Promise<ListResult> {
  if ((request.options.resourceVersion ?? 0) !== 0) {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  const startAfter = request.prefix + token.start;
  if (token.revision === -1) return readLatest(request, startAfter);
  if (token.revision > request.currentRevision) throw resourceVersionTooLarge(token.revision, request.currentRevision);
  return readAt(request, token.revision, startAfter, true);
}

function readLatest(request: ListRequest, startAfter: string | undefined): ListResult {
  return page(request, candidates(request, startAfter), request.currentRevision);
}

/** The fewest objects that can hold the answer: one by name, those of an index value, or all below the prefix. */
function candidates(request: ListRequest, startAfter: string | undefined): CachedObject[] {
  const { cache, prefix, selection } = request;
  if (selection.index) {
    return cache
      .byIndex(selection.index.by, selection.index.value)
      .filter(({ key }) => key.startsWith(prefix) && (startAfter === undefined || key > startAfter));
  }
  return cache.snapshot(prefix, startAfter);
}

function page(request: ListRequest, objects: readonly CachedObject[], revision: number): ListResult {
  const { selection, options, prefix } = request;
  const { limit } = options;
  if (limit === 0 || objects.length <= limit) {
    const matching = selection.isEverything ? objects : objects.filter((object) => selection.matches(object));
    return { objects: matching, revision };
  }
  const found: CachedObject[] = [];
  for (let i = 0; i < objects.length; i++) {
    const object = objects[i];
    if (!object || !selection.matches(object)) continue;
    if (found.length === limit)
      return cutPage(found, revision, prefix, selection.isEverything ? objects.length - i : undefined);
    found.push(object);
  }
  return { objects: found, revision };
}

function cutPage(
  objects: readonly CachedObject[],
  revision: number,
  prefix: string,
  remaining: number | undefined,
): ListResult {
  const last = objects.at(-1)?.key ?? prefix;
  return {
    objects,
    revision,
    continue: encodeContinue({ revision, start: last.slice(prefix.length) }),
    ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
  };
}

async function readAt(
  request: ListRequest,
  revision: number,
  startAfter: string | undefined,
  isContinue: boolean,
): Promise<ListResult> {
  if (request.cache.lastChange <= revision) return page(request, candidates(request, startAfter), revision);
  try {
    return await readPast(request, revision, startAfter);
  } catch (error) {
    if (error instanceof StorageFutureRevisionError) throw resourceVersionTooLarge(revision, request.currentRevision);
    if (!(error instanceof StorageCompactedError)) throw error;
    if (!isContinue || startAfter === undefined) {
      throw expired(`The resourceVersion for the provided list is too old.`);
    }
    const start = startAfter.slice(request.prefix.length);
    throw new ExpiredContinueError(encodeContinue({ revision: -1, start }));
  }
}

/** Pages through the history of the store, so that a selective list of a big collection holds one page at a time. */
async function readPast(request: ListRequest, revision: number, startAfter: string | undefined): Promise<ListResult> {
  const { storage, prefix, selection, options } = request;
  const found: CachedObject[] = [];
  const pageLimit = options.limit > 0 && selection.isEverything ? options.limit : 1_000;
  let from = startAfter;
  for (;;) {
    const read = await storage.list(prefix, {
      limit: pageLimit,
      revision,
      ...(from === undefined ? {} : { startAfter: from }),
    });
    const objects = await request.cache.objectsOf(read.items);
    for (let i = 0; i < objects.length; i++) {
      const object = objects[i];
      if (!object || !selection.matches(object)) continue;
      if (options.limit > 0 && found.length === options.limit) {
        const left = selection.isEverything ? read.items.length - i + (read.remaining ?? 0) : undefined;
        return cutPage(found, revision, prefix, left);
      }
      found.push(object);
    }
    if (read.nextKey === undefined) return { objects: found, revision };
    if (options.limit > 0 && found.length === options.limit && selection.isEverything) {
      return cutPage(found, revision, prefix, read.remaining);
    }
    from = read.nextKey;
  }
}

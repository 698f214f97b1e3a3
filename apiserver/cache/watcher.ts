import type { Clock } from '../../shared/clock/clock.js';
import type { CacheEvent } from './event-ring.js';
import type { FrameCache, Representation } from './frames.js';
import type { CachedObject } from './cached-object.js';
import type { Selection } from './selection.js';
import type { WatchCache } from './watch-cache.js';

/** Where a watch stream goes. */
export interface WatchSink {
  /** False: do not write again before `onDrain` was called. */
  write(chunk: Buffer): boolean;
  end(): void;
}

export interface WatcherOptions {
  readonly cache: WatchCache;
  /** Collection or namespace. */
  readonly prefix: string;
  readonly selection: Selection;
  readonly representation: Representation;
  /** Of the first event, where that differs. */
  readonly firstRepresentation?: Representation;
  readonly frames: FrameCache;
  readonly sink: WatchSink;
  readonly clock: Clock;
  /** Position in the ring of the first event to send live. */
  readonly position: number;
  /** What exists, sent first as ADDED. */
  readonly initial: readonly CachedObject[];
  /** Older changes from the store's history, sent before the live ones. */
  readonly history: readonly CacheEvent[];
  /** Bytes of a bookmark at the current revision. */
  readonly bookmark: (() => Buffer) | undefined;
  /** The bookmark that ends the initial events. */
  readonly initialEnd: Buffer | undefined;
  readonly timeoutMs: number;
  /** Bytes of an ERROR event. */
  readonly tooOld: () => Buffer;
  readonly onEnd: () => void;
}

/** Joined events of one position, selection and form: made once a flush, written to many. */
export type SharedChunks = Map<string, { readonly chunk: Buffer | undefined; readonly next: number }>;

const chunkBytes = 256 * 1024;
const bookmarkIntervalMs = 60_000;

/**
 * One watch stream: a cursor, never a queue. It takes what comes after its position whenever its client has room; a
 * client that does not read stays parked there, and learns that its position is too old when the ring has moved on.
 *
 *     initial objects -> history -> (bookmark) -> ring from `position` on
 */
export class Watcher {
  readonly #options: WatcherOptions;
  #position: number;
  #backlog: Iterator<Buffer> | undefined;
  #isBlocked = false;
  #hasEnded = false;
  #cancelBookmark: () => void = () => {};
  readonly #cancelTimeout: () => void;
  readonly #shareKey: string;
  #representation: Representation;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#position = options.position;
    this.#backlog = this.#initialFrames();
    this.#shareKey = `${options.prefix} ${options.selection.key}`;
    this.#representation = options.firstRepresentation ?? options.representation;
    this.#cancelTimeout = options.clock.schedule(options.timeoutMs, () => this.finish());
    if (options.bookmark) this.#scheduleBookmark();
  }

  get isCaughtUp(): boolean {
    return this.#backlog === undefined && this.#position === this.#options.cache.ring.endPosition;
  }

  /** Writes what there is to write, until the client has no room. */
  pump(shared: SharedChunks = new Map()): void {
    while (!this.#isBlocked && !this.#hasEnded) {
      const chunk = this.#nextChunk(shared);
      if (!chunk) return;
      this.#isBlocked = !this.#options.sink.write(chunk);
    }
  }

  /** The client has room again. */
  drained(): void {
    this.#isBlocked = false;
    this.pump();
  }

  /** Ends the stream in order: a last bookmark tells the client where to resume. */
  finish(): void {
    if (this.#hasEnded) return;
    this.pump();
    const { bookmark, sink } = this.#options;
    if (bookmark && this.isCaughtUp && !this.#isBlocked) sink.write(bookmark());
    this.close();
    sink.end();
  }

  /** The client is gone. */
  close(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#backlog = undefined;
    this.#cancelBookmark();
    this.#cancelTimeout();
    this.#options.onEnd();
  }

  #nextChunk(shared: SharedChunks): Buffer | undefined {
    if (this.#backlog) {
      const chunk = joined(this.#backlog);
      if (chunk) return chunk;
      this.#backlog = undefined;
    }
    return this.#liveChunk(shared);
  }

  #liveChunk(shared: SharedChunks): Buffer | undefined {
    const { ring } = this.#options.cache;
    while (this.#position < ring.endPosition) {
      if (this.#position < ring.firstPosition) {
        this.#fallBehind();
        return undefined;
      }
      const key = `${this.#position} ${this.#shareKey} ${this.#representation.key}`;
      let made = shared.get(key);
      if (!made) shared.set(key, (made = this.#join()));
      this.#position = made.next;
      if (!made.chunk) continue;
      this.#representation = this.#options.representation;
      return made.chunk;
    }
    return undefined;
  }

  #join(): { chunk: Buffer | undefined; next: number } {
    const { cache, prefix, frames, selection } = this.#options;
    let representation = this.#representation;
    const parts: Buffer[] = [];
    let bytes = 0;
    let next = this.#position;
    for (; next < cache.ring.endPosition && bytes < chunkBytes; next++) {
      const event = cache.ring.at(next);
      if (!event?.current.key.startsWith(prefix)) continue;
      const part = frames.frameOf(event, selection, representation);
      if (!part) continue;
      parts.push(part);
      bytes += part.length;
      representation = this.#options.representation;
    }
    return { chunk: parts.length <= 1 ? parts[0] : Buffer.concat(parts, bytes), next };
  }

  #fallBehind(): void {
    this.#options.sink.write(this.#options.tooOld());
    this.close();
    this.#options.sink.end();
  }

  *#initialFrames(): Generator<Buffer> {
    const { initial, history, selection, representation, frames, initialEnd } = this.#options;
    for (const object of initial) {
      if (!selection.matches(object)) continue;
      yield this.#representation.frame('ADDED', this.#representation.encode(object));
      this.#representation = representation;
    }
    for (const event of history) {
      const bytes = frames.frameOf(event, selection, this.#representation);
      if (!bytes) continue;
      yield bytes;
      this.#representation = representation;
    }
    if (initialEnd) yield initialEnd;
  }

  #scheduleBookmark(): void {
    this.#cancelBookmark = this.#options.clock.schedule(bookmarkIntervalMs, () => {
      const { bookmark, sink } = this.#options;
      this.pump();
      if (bookmark && this.isCaughtUp && !this.#isBlocked) this.#isBlocked = !sink.write(bookmark());
      this.#scheduleBookmark();
    });
  }
}

function joined(frames: Iterator<Buffer>): Buffer | undefined {
  const parts: Buffer[] = [];
  let bytes = 0;
  while (bytes < chunkBytes) {
    const { value, done } = frames.next();
    if (done) break;
    parts.push(value);
    bytes += value.length;
  }
  return parts.length === 0 ? undefined : Buffer.concat(parts, bytes);
}

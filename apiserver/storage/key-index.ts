import type { IndexEntry } from './index-entry.js';
import { compareKeys } from './key-order.js';

const maxChunk = 512;

/**
 * The committed latest entry of every key, in memory, in key order. Keys lie in sorted chunks, so that an insertion moves
 * a few hundred references at most.
 */
export class KeyIndex {
  readonly #entries = new Map<string, IndexEntry>();
  #chunks: string[][] = [];
  #live = 0;

  /** Keys that exist, deleted ones not counted. */
  get live(): number {
    return this.#live;
  }

  get(key: string): IndexEntry | undefined {
    return this.#entries.get(key);
  }

  set(key: string, entry: IndexEntry): void {
    const before = this.#entries.get(key);
    if (!before) this.#insert(key);
    this.#live += Number(!entry.isDeleted) - Number(before !== undefined && !before.isDeleted);
    this.#entries.set(key, entry);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    if (!entry.isDeleted) this.#live--;
    this.#entries.delete(key);
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at] ?? [];
    chunk.splice(position(chunk, key), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Entries below `prefix` with keys above `after`, in key order, as they are now. */
  range(prefix: string, after?: string): [key: string, entry: IndexEntry][] {
    const result: [string, IndexEntry][] = [];
    const start = after !== undefined && compareKeys(after, prefix) >= 0 ? after : prefix;
    for (let c = this.#chunkOf(start); c < this.#chunks.length; c++) {
      const chunk = this.#chunks[c] ?? [];
      for (let i = position(chunk, start); i < chunk.length; i++) {
        const key = chunk[i] as string;
        if (!key.startsWith(prefix)) return result;
        const entry = this.#entries.get(key);
        if (entry && key !== after) result.push([key, entry]);
      }
    }
    return result;
  }

  #insert(key: string): void {
    const at = Math.min(this.#chunkOf(key), Math.max(0, this.#chunks.length - 1));
    const chunk = this.#chunks[at];
    if (!chunk) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(position(chunk, key), 0, key);
    if (chunk.length > maxChunk) this.#chunks.splice(at + 1, 0, chunk.splice(maxChunk / 2));
  }

  /** The first chunk whose last key is not below `key`. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const last = this.#chunks[middle]?.at(-1) ?? '';
      if (compareKeys(last, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Where `key` is, or would be, in a sorted chunk. */
function position(chunk: readonly string[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(chunk[middle] as string, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

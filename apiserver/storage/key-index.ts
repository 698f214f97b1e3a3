import type { IndexEntry } from './index-entry.js';
import { compareKeys } from './key-order.js';

const maxChunk = 512;

interface Slot {
  readonly key: string;
  entry: IndexEntry;
}

/**
 * The committed latest entry of every key, in memory, in key order. Slots lie in sorted chunks, so that an insertion moves
 * a few hundred references at most, and a walk over thousands of keys touches no hash table.
 */
export class KeyIndex {
  readonly #slots = new Map<string, Slot>();
  readonly #chunks: Slot[][] = [];
  #live = 0;

  /** Keys that exist, deleted ones not counted. */
  get live(): number {
    return this.#live;
  }

  get(key: string): IndexEntry | undefined {
    return this.#slots.get(key)?.entry;
  }

  set(key: string, entry: IndexEntry): void {
    const slot = this.#slots.get(key);
    this.#live += Number(!entry.isDeleted) - Number(slot !== undefined && !slot.entry.isDeleted);
    if (slot) {
      slot.entry = entry;
      return;
    }
    const added = { key, entry };
    this.#slots.set(key, added);
    this.#insert(added);
  }

  delete(key: string): void {
    const slot = this.#slots.get(key);
    if (!slot) return;
    if (!slot.entry.isDeleted) this.#live--;
    this.#slots.delete(key);
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at] ?? [];
    chunk.splice(position(chunk, key), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Calls `visit` for the entries below `prefix` with keys above `after`, in key order. `visit` must not change the index. */
  walk(prefix: string, after: string | undefined, visit: (key: string, entry: IndexEntry) => void): void {
    const start = after !== undefined && compareKeys(after, prefix) >= 0 ? after : prefix;
    for (let c = this.#chunkOf(start), first = true; c < this.#chunks.length; c++, first = false) {
      const chunk = this.#chunks[c] ?? [];
      // Sorted and not below the prefix: where the last key has it, all have.
      const isWhole = chunk.at(-1)?.key.startsWith(prefix) ?? false;
      for (let i = first ? position(chunk, start) : 0; i < chunk.length; i++) {
        const { key, entry } = chunk[i] as Slot;
        if (!isWhole && !key.startsWith(prefix)) return;
        if (!first || key !== after) visit(key, entry);
      }
    }
  }

  #insert(slot: Slot): void {
    const at = Math.min(this.#chunkOf(slot.key), Math.max(0, this.#chunks.length - 1));
    const chunk = this.#chunks[at];
    const last = chunk?.at(-1);
    // At a start all keys come in their order.
    if (chunk && last && chunk.length < maxChunk && compareKeys(last.key, slot.key) < 0) {
      chunk.push(slot);
      return;
    }
    if (!chunk) {
      this.#chunks.push([slot]);
      return;
    }
    chunk.splice(position(chunk, slot.key), 0, slot);
    if (chunk.length > maxChunk) this.#chunks.splice(at + 1, 0, chunk.splice(maxChunk / 2));
  }

  /** The first chunk whose last key is not below `key`. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const last = this.#chunks[middle]?.at(-1)?.key ?? '';
      if (compareKeys(last, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Where `key` is, or would be, in a sorted chunk. */
function position(chunk: readonly Slot[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys((chunk[middle] as Slot).key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

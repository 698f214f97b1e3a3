import type { StorageEvent, WatchOptions } from './storage.js';

export type StorageListener = (events: readonly StorageEvent[]) => void;

interface Watcher {
  readonly prefix: string;
  readonly listener: StorageListener;
  readonly knowsPrevious: boolean;
}

/** Those who listen to commits as they happen. */
export class Watchers {
  readonly #watchers = new Set<Watcher>();

  get size(): number {
    return this.#watchers.size;
  }

  /** Whether anybody wants to be told the former state of what is changed. */
  get wantPrevious(): boolean {
    for (const { knowsPrevious } of this.#watchers) if (!knowsPrevious) return true;
    return false;
  }

  add(prefix: string, listener: StorageListener, { knowsPrevious = false }: WatchOptions = {}): () => void {
    const watcher = { prefix, listener, knowsPrevious };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  clear(): void {
    this.#watchers.clear();
  }

  /** Hands the events of one commit to everybody concerned. One who is ended by another's listener gets nothing more. */
  deliver(events: readonly StorageEvent[]): void {
    // A copy: who is added by a listener has read this commit as history already.
    const watchers = [...this.#watchers];
    for (const watcher of watchers) {
      const matching = events.filter((event) => event.key.startsWith(watcher.prefix));
      if (matching.length === 0 || !this.#watchers.has(watcher)) continue;
      callListener(watcher.listener, matching, () => this.#watchers.delete(watcher));
    }
  }
}

/** A listener that throws would leave its owner with a hole it does not know of, so the process ends; the commit of others does not suffer. */
export function callListener(listener: StorageListener, events: readonly StorageEvent[], end: () => void): void {
  try {
    listener(events);
  } catch (error) {
    end();
    queueMicrotask(() => {
      throw error;
    });
  }
}

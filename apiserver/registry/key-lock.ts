/** The last of those who write to a key. It forgets the promise at its end: a Map's former tables may keep it alive (see Roster). */
interface Tail {
  done: Promise<unknown> | undefined;
}

/**
 * Lets the writes to one key run one after the other, so that patches of a hot object queue up here instead of
 * failing against each other in the store. Different keys never wait for each other.
 */
export class KeyLock {
  readonly #tails = new Map<string, Tail>();

  /** Keys that are being written. */
  get size(): number {
    return this.#tails.size;
  }

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)?.done;
    const done = before ? before.then(work, work) : work();
    const mine: Tail = { done };
    this.#tails.set(key, mine);
    try {
      return await done;
    } finally {
      mine.done = undefined;
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
    }
  }
}

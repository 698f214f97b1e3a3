/**
 * Lets the writes to one key run one after the other, so that patches of a hot object queue up here instead of
 * failing against each other in the store. Different keys never wait for each other.
 */
export class KeyLock {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Keys that are being written. */
  get size(): number {
    return this.#tails.size;
  }

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const mine = before === undefined ? work() : before.then(work, work);
    this.#tails.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
    }
  }
}

/** What a worker takes keys from: a key is never worked on twice at once, and a key added while it is worked on comes again. */
export interface Workqueue<K extends string = string> {
  add(key: K): void;
  addAfter(key: K, delayMs: number): void;
  /** Adds after the key's own back-off, which grows with every call until forget(). */
  addRateLimited(key: K): void;
  /** Ends the back-off of a key. */
  forget(key: K): void;
  /** Number of addRateLimited calls since forget. */
  retries(key: K): number;
  /** The next key; undefined once shut down and drained. */
  get(): Promise<K | undefined>;
  /** Must follow every get(). */
  done(key: K): void;
  readonly length: number;
  shutDown(): void;
}

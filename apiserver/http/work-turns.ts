/** For how long requests that have come at once are worked on before those that wait for the disk get their answers. */
const turnMs = 4;

/**
 * Divides the writes that one look at the connections has found into turns. While the disk syncs what one turn has written the next one is
 * worked on, and what is read of a request does not grow old before its turn: fewer objects are alive at once.
 */
export class WorkTurns {
  readonly #nowMs: () => number;
  #endMs = 0;
  #isOpen = false;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Undefined when a request can be worked on at once. Those that wait keep their order. */
  next(): Promise<void> | undefined {
    return this.#mayWork() ? undefined : this.#wait();
  }

  async #wait(): Promise<void> {
    do await new Promise<void>((resolve) => setImmediate(resolve));
    while (!this.#mayWork());
  }

  /** The first of each turn of the event loop opens a turn of work. */
  #mayWork(): boolean {
    const nowMs = this.#nowMs();
    if (this.#isOpen) return nowMs < this.#endMs;
    this.#isOpen = true;
    this.#endMs = nowMs + turnMs;
    setImmediate(() => (this.#isOpen = false));
    return true;
  }
}

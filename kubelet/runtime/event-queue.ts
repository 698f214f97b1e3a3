/** Values handed from callbacks to one reader; a reader that falls more than `bound` behind is failed, never buffered for. */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #bound: number;
  #values: T[] = [];
  #end: { error?: Error } | undefined;
  #wake: (() => void) | undefined;

  constructor(bound = 10_000) {
    this.#bound = bound;
  }

  push(value: T): void {
    if (this.#end) return;
    if (this.#values.length >= this.#bound) {
      this.#values = [];
      this.fail(new Error(`the reader is more than ${this.#bound} events behind`));
      return;
    }
    this.#values.push(value);
    this.#wake?.();
  }

  /** The reader gets what is queued, then the end. */
  end(): void {
    this.#end ??= {};
    this.#wake?.();
  }

  /** The reader gets what is queued, then the error. */
  fail(error: Error): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const values = this.#values;
      this.#values = [];
      yield* values;
      if (this.#values.length > 0) continue;
      if (this.#end?.error) throw this.#end.error;
      if (this.#end) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
  }
}

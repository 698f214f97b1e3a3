import { RequestError } from './request-error.js';

/** Bytes that all requests together may hold, so that a crowd of large pictures cannot exhaust the pod's memory. */
export class ByteBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** A reservation that starts with `sizeBytes`; throws a 503 when they are not free. */
  reserve(sizeBytes: number): Reservation {
    let heldBytes = 0;
    const grow = (bytes: number): void => {
      if (this.#usedBytes + bytes > this.#limitBytes)
        throw new RequestError(503, 'The gateway is busy with other pictures, try again in a moment.');
      this.#usedBytes += bytes;
      heldBytes += bytes;
    };
    grow(sizeBytes);
    return {
      grow,
      release: () => {
        this.#usedBytes -= heldBytes;
        heldBytes = 0;
      },
    };
  }
}

export interface Reservation {
  /** Adds to the reservation; throws a 503 when the bytes are not free. */
  grow(bytes: number): void;
  /** Gives everything back; further calls have no effect. */
  release(): void;
}

import { writeSync } from 'node:fs';

export interface LineOutputOptions {
  /** Writes bytes at once and returns how many it took; throws as `writeSync` does. */
  readonly write?: (bytes: Uint8Array) => number;
  /** Waits without giving the turn away; for a reader that is slow. */
  readonly wait?: () => void;
  /** The line that tells how many were lost; ends with a newline. */
  readonly lostLine: (count: number) => string;
}

const waitMs = 10;
const maxWaits = 100;
const standardOutput = 1;

/**
 * Writes lines whole before the call returns. What cannot be written (the disk is full, nobody reads) is lost and counted:
 * a log must neither stop its process nor end it. The first line after that begins on a line of its own and the count is told.
 */
export class LineOutput {
  readonly #options: Required<LineOutputOptions>;
  #lost = 0;
  /** The last line was begun and not ended. */
  #isCut = false;

  constructor(options: LineOutputOptions) {
    this.#options = { write: (bytes) => writeSync(standardOutput, bytes), wait: sleepSync, ...options };
  }

  write(line: string): void {
    const told = this.#lost > 0 ? this.#options.lostLine(this.#lost) : '';
    if (this.#tryWrite(`${this.#isCut ? '\n' : ''}${told}${line}`)) this.#lost = 0;
    else this.#lost++;
  }

  #tryWrite(text: string): boolean {
    let rest: Uint8Array = Buffer.from(text);
    // Whoever did not read a moment ago is not waited for once more at each line.
    let waits = this.#lost > 0 ? maxWaits : 0;
    while (rest.length > 0) {
      try {
        const written = this.#options.write(rest);
        rest = rest.subarray(written);
        if (written > 0) this.#isCut = rest.length > 0;
      } catch (error) {
        if (!isBusy(error) || waits++ >= maxWaits) return false;
        this.#options.wait();
      }
    }
    return true;
  }
}

const isBusy = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EAGAIN';

function sleepSync(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs);
}

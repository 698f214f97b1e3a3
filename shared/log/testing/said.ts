import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { eventually } from '../../clock/eventually.js';

/**
 * The lines that a process of ours says on its standard output, found by message. For tests: it tells where it listens,
 * so that nobody has to guess a port that is still free when the process gets there.
 */
export class Said {
  readonly #lines: string[] = [];

  constructor(output: Readable) {
    createInterface({ input: output }).on('line', (line) => this.#lines.push(line));
  }

  /** The `port` of the line with `message`, once it is said. Throws with all that was said after 20 s. */
  portOf(message: string): Promise<number> {
    return eventually(() => {
      for (const line of this.#lines) {
        const { msg, port } = JSON.parse(line) as { msg?: unknown; port?: unknown };
        if (msg === message && typeof port === 'number') return port;
      }
      throw new Error(`"${message}" was not said:\n${this.#lines.join('\n')}`);
    }, 20_000);
  }
}

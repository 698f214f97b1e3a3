import { writePrivateFile } from '../cluster/state.js';
import type { ProcessRecord } from './orphans.js';

const retryMs = 1_000;

/** Notes which processes run, for whoever comes after a supervisor that was killed. */
export class RecordFile {
  readonly #path: string;
  #retry: NodeJS.Timeout | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** What cannot be written now (the disk is full) is written later: the processes matter more than the note. */
  write(records: () => readonly ProcessRecord[]): void {
    clearTimeout(this.#retry);
    try {
      writePrivateFile(this.#path, `${JSON.stringify(records())}\n`);
    } catch {
      this.#retry = setTimeout(() => this.write(records), retryMs);
      this.#retry.unref();
    }
  }
}

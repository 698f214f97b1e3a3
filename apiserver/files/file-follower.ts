import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';

export interface FileFollowerOptions {
  readonly path: string;
  /** Looks at the file; called once at the start, after each change, and now and then. Never two at once; never rejects. */
  readonly look: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Where the notice of a change may be lost. */
const lookAgainMs = 60_000;

/** Follows a file while the server runs. Its folder is watched, since files are replaced by renaming. */
export class FileFollower {
  readonly #options: FileFollowerOptions;
  #watcher: FSWatcher | undefined;
  #cancel: () => void = () => undefined;
  #looking: Promise<void> = Promise.resolve();
  #isWaiting = false;
  #isStopped = false;

  constructor(options: FileFollowerOptions) {
    this.#options = options;
  }

  start(): void {
    const { path, log } = this.#options;
    this.#watcher = watch(dirname(path), (_, name) => {
      if (name === null || name === basename(path)) this.#look();
    });
    this.#watcher.on('error', (error) => log.warn('the folder of a file cannot be watched', { path, error }));
    this.#look();
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    this.#watcher?.close();
    await this.#looking;
  }

  #look(): void {
    this.#cancel();
    if (this.#isStopped) return;
    this.#cancel = this.#options.clock.schedule(lookAgainMs, () => this.#look());
    // One look that has not begun sees all that has changed until then.
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#looking = this.#looking.then(async () => {
      this.#isWaiting = false;
      if (!this.#isStopped) await this.#options.look();
    });
  }
}

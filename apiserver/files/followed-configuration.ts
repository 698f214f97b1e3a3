import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { MetricsRegistry } from '../../shared/metrics/registry.js';
import { FileFollower } from './file-follower.js';

export interface FollowedConfigurationOptions<T> {
  readonly file: string;
  /** What it is about: `authentication`, `authorization`; in the log and in the names of the metrics. */
  readonly subject: string;
  /** Makes the content ready for use; rejects with an Error that says what is wrong with it. */
  readonly prepare: (text: string) => Promise<T>;
  /** Throws where a later content may not take the place of the first one. */
  readonly mayFollow: (next: T, first: T) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Which server it is, in the metrics. */
  readonly serverId: string;
}

type Outcome = 'success' | 'failure';

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/**
 * What a configuration file says, followed while the server runs. A content that is wrong is told in the log, counted
 * once, and not taken: the one before stays.
 */
export class FollowedConfiguration<T> {
  readonly first: T;
  readonly #options: FollowedConfigurationOptions<T>;
  readonly #follower: FileFollower;
  readonly #reloads: Record<Outcome, number> = { success: 0, failure: 0 };
  readonly #lastMs: Partial<Record<Outcome, number>> = {};
  #current: T;
  #currentText: string;
  /** What was looked at last and will not become right by looking again. */
  #judged: string;

  private constructor(options: FollowedConfigurationOptions<T>, text: string, first: T) {
    this.#options = options;
    this.first = first;
    this.#current = first;
    this.#currentText = text;
    this.#judged = text;
    const { file: path, clock, log } = options;
    this.#follower = new FileFollower({ path, clock, log, look: () => this.#look() });
  }

  /** Rejects with an Error that begins with the file where it cannot be used. */
  static async load<T>(options: FollowedConfigurationOptions<T>): Promise<FollowedConfiguration<T>> {
    const { file } = options;
    try {
      const text = readFileSync(file, 'utf8');
      return new FollowedConfiguration(options, text, await options.prepare(text));
    } catch (error) {
      throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  get current(): T {
    return this.#current;
  }

  start(): void {
    this.#follower.start();
  }

  stop(): Promise<void> {
    return this.#follower.stop();
  }

  /** Under the names of the original. */
  addMetrics(metrics: MetricsRegistry): void {
    const { subject, serverId } = this.#options;
    const prefix = `apiserver_${subject}_config_controller`;
    const id = sha256(serverId);
    const labels = ['apiserver_id_hash', 'status'];
    const reloads = metrics.counter({
      name: `${prefix}_automatic_reloads_total`,
      help: `Total number of automatic reloads of ${subject} configuration split by status and apiserver identity.`,
      labels,
    });
    const last = metrics.gauge({
      name: `${prefix}_automatic_reload_last_timestamp_seconds`,
      help: `Timestamp of the last automatic reload of ${subject} configuration split by status and apiserver identity.`,
      labels,
    });
    const info = metrics.gauge({
      name: `${prefix}_last_config_info`,
      help: `Information about the last applied ${subject} configuration with hash as label, split by apiserver identity.`,
      labels: ['apiserver_id_hash', 'hash'],
    });
    let shown: string | undefined;
    metrics.onCollect(() => {
      for (const status of ['success', 'failure'] as const) {
        const atMs = this.#lastMs[status];
        if (atMs === undefined) continue;
        reloads.reach(this.#reloads[status], [id, status]);
        last.set(atMs / 1000, [id, status]);
      }
      const hash = sha256(this.#currentText);
      if (shown !== undefined && shown !== hash) info.remove([id, shown]);
      info.set(1, [id, hash]);
      shown = hash;
    });
  }

  async #look(): Promise<void> {
    const { file, log, subject, prepare, mayFollow } = this.#options;
    let text: string | undefined;
    try {
      text = readFileSync(file, 'utf8');
      if (text === this.#judged) return;
      const next = await prepare(text);
      mayFollow(next, this.first);
      this.#current = next;
      this.#currentText = text;
      this.#note('success');
      log.info(`reloaded ${subject} config`, { path: file });
    } catch (error) {
      this.#note('failure');
      log.error(`the ${subject} configuration is not taken`, { path: file, error });
    }
    // A file that cannot be read may be there the next time.
    if (text !== undefined) this.#judged = text;
  }

  #note(outcome: Outcome): void {
    this.#reloads[outcome] += 1;
    this.#lastMs[outcome] = this.#options.clock.now();
  }
}

import type { Clock } from '../../shared/clock/clock.js';
import type { AuditSink } from './audit-log.js';

export interface AuditWebhookOptions {
  /** Sends a document to the service; rejects unless it was taken. */
  readonly post: (body: string) => Promise<unknown>;
  readonly clock: Clock;
  /** Before the second attempt; each later pause is half as long again. */
  readonly initialBackoffMs: number;
  /** More than this is sent as several lists. */
  readonly maxBatchBytes: number;
}

/** As the original's back-off of webhooks. */
const attempts = 5;
const growth = 1.5;
const head = '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[';

/** A service that is sent lists of audit events. Whatever it answers but yes is tried again, a bounded number of times. */
export class AuditWebhook implements AuditSink {
  readonly #options: AuditWebhookOptions;
  readonly #closing = new AbortController();

  constructor(options: AuditWebhookOptions) {
    this.#options = options;
  }

  async write(lines: readonly Buffer[]): Promise<void> {
    for (const batch of batches(lines, this.#options.maxBatchBytes)) {
      await this.#send(`${head}${batch.map((line) => line.toString('utf8').trimEnd()).join(',')}]}`);
    }
  }

  /** What is sent from now on is sent once. */
  hasten(): void {
    this.#closing.abort();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #send(body: string): Promise<void> {
    const { post, clock, initialBackoffMs } = this.#options;
    const { signal } = this.#closing;
    for (let attempt = 1; ; attempt++) {
      try {
        await post(body);
        return;
      } catch (error) {
        if (attempt >= attempts || signal.aborted) throw error;
        // When the server ends meanwhile, there is one more attempt at once.
        await clock.sleep(initialBackoffMs * growth ** (attempt - 1), signal).catch(() => undefined);
      }
    }
  }
}

function* batches(lines: readonly Buffer[], maxBytes: number): Generator<Buffer[]> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for (const line of lines) {
    if (batch.length > 0 && bytes + line.length > maxBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(line);
    bytes += line.length;
  }
  if (batch.length > 0) yield batch;
}

import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { Counter, MetricsRegistry } from '../../shared/metrics/registry.js';

/** Where lines of the audit log end up. */
export interface AuditSink {
  /** Resolves when the lines, each ending with a newline, are handed to the system. */
  write(lines: readonly Buffer[]): Promise<void>;
  close(): Promise<void>;
}

const batchDelayMs = 50;
const maxBatch = 400;
const maxQueuedEvents = 10_000;
const maxQueuedBytes = 32 * 1024 * 1024;

/**
 * Takes events without making a request wait, and hands them on in batches. What a sink that is stuck cannot take is
 * counted and told in the process log, never silently lost.
 */
export class AuditLog {
  readonly #sink: AuditSink;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: Counter;
  readonly #errors: Counter;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #lost = 0;
  #timer: (() => void) | undefined;
  #writing: Promise<void> | undefined;

  constructor(sink: AuditSink, options: { clock: Clock; log: Log; metrics: MetricsRegistry }) {
    this.#sink = sink;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#events = options.metrics.counter({
      name: 'apiserver_audit_event_total',
      help: 'Counter of audit events generated and sent to the audit backend.',
    });
    this.#errors = options.metrics.counter({
      name: 'apiserver_audit_error_total',
      help: 'Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected by the error.',
      labels: ['plugin'],
    });
  }

  /** One event as JSON without a newline. */
  add(event: string): void {
    const line = Buffer.from(`${event}\n`);
    if (this.#queue.length >= maxQueuedEvents || this.#queuedBytes + line.length > maxQueuedBytes) {
      this.#countLost(1);
      return;
    }
    this.#queue.push(line);
    this.#queuedBytes += line.length;
    if (this.#queue.length >= maxBatch) this.#flushSoon(0);
    else this.#flushSoon(batchDelayMs);
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    this.#timer?.();
    while (this.#writing || this.#queue.length > 0) await (this.#writing ?? this.#flush());
    await this.#sink.close();
  }

  #flushSoon(delayMs: number): void {
    if (this.#writing || (this.#timer && delayMs > 0)) return;
    this.#timer?.();
    this.#timer = this.#clock.schedule(delayMs, () => void this.#flush());
  }

  #flush(): Promise<void> {
    this.#timer = undefined;
    const lines = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#writing = this.#write(lines).finally(() => {
      this.#writing = undefined;
      if (this.#queue.length > 0) this.#flushSoon(this.#queue.length >= maxBatch ? 0 : batchDelayMs);
    });
    return this.#writing;
  }

  async #write(lines: readonly Buffer[]): Promise<void> {
    try {
      await this.#sink.write(lines);
      this.#events.inc([], lines.length);
      if (this.#lost > 0) this.#log.warn('audit events were lost', { count: this.#lost });
      this.#lost = 0;
    } catch (error) {
      this.#countLost(lines.length);
      this.#log.error('audit events could not be written', { count: this.#lost, error });
      this.#lost = 0;
    }
  }

  #countLost(count: number): void {
    this.#lost += count;
    this.#errors.inc(['log'], count);
  }
}

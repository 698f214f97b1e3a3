import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { Counter, MetricsRegistry } from '../../shared/metrics/registry.js';

/** Where lines of the audit log end up. */
export interface AuditSink {
  /** Resolves when the lines, each ending with a newline, are handed to the system. */
  write(lines: readonly Buffer[]): Promise<void>;
  close(): Promise<void>;
}

/** When a batch is full, and what waits at most. */
export interface AuditBatching {
  readonly maxWaitMs: number;
  readonly maxEvents: number;
  readonly bufferEvents: number;
}

const usualBatching: AuditBatching = { maxWaitMs: 50, maxEvents: 400, bufferEvents: 10_000 };
const maxQueuedBytes = 32 * 1024 * 1024;

/**
 * Takes events without making a request wait, and hands them on in batches. What a sink that is stuck cannot take is
 * counted and told in the process log, never silently lost.
 */
export class AuditLog {
  readonly #sink: AuditSink;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #plugin: string;
  readonly #batching: AuditBatching;
  readonly #errors: Counter;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #lost = 0;
  #timer: (() => void) | undefined;
  #writing: Promise<void> | undefined;

  /** @param options `plugin` is the name of the target in metrics and messages */
  constructor(
    sink: AuditSink,
    options: { clock: Clock; log: Log; metrics: MetricsRegistry; plugin: string; batching?: AuditBatching },
  ) {
    this.#sink = sink;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#plugin = options.plugin;
    this.#batching = options.batching ?? usualBatching;
    this.#errors = options.metrics.counter({
      name: 'apiserver_audit_error_total',
      help: 'Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected by the error.',
      labels: ['plugin'],
    });
  }

  /** One event as JSON without a newline. */
  add(event: string): void {
    const line = Buffer.from(`${event}\n`);
    const { maxWaitMs, maxEvents, bufferEvents } = this.#batching;
    if (this.#queue.length >= bufferEvents || this.#queuedBytes + line.length > maxQueuedBytes) {
      this.#countLost(1);
      return;
    }
    this.#queue.push(line);
    this.#queuedBytes += line.length;
    if (this.#queue.length >= maxEvents) this.#flushSoon(0);
    else this.#flushSoon(maxWaitMs);
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
    const { maxWaitMs, maxEvents } = this.#batching;
    const lines = this.#queue.splice(0, maxEvents);
    this.#queuedBytes -= lines.reduce((bytes, line) => bytes + line.length, 0);
    this.#writing = this.#write(lines).finally(() => {
      this.#writing = undefined;
      if (this.#queue.length > 0) this.#flushSoon(this.#queue.length >= maxEvents ? 0 : maxWaitMs);
    });
    return this.#writing;
  }

  async #write(lines: readonly Buffer[]): Promise<void> {
    try {
      await this.#sink.write(lines);
      if (this.#lost > 0) this.#log.warn('audit events were lost', { plugin: this.#plugin, count: this.#lost });
      this.#lost = 0;
    } catch (error) {
      this.#countLost(lines.length);
      this.#log.error('audit events could not be written', { plugin: this.#plugin, count: this.#lost, error });
      this.#lost = 0;
    }
  }

  #countLost(count: number): void {
    this.#lost += count;
    this.#errors.inc([this.#plugin], count);
  }
}

import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { Counter, MetricsRegistry } from '../../shared/metrics/registry.js';
import { AuditLog, type AuditBatching, type AuditSink } from './audit-log.js';
import type { AuditWebhook } from './audit-webhook.js';

/** Where events go: a file, a service, or both. */
export interface AuditTargets {
  readonly sink?: AuditSink;
  readonly webhook?: { readonly sink: AuditWebhook; readonly batching: AuditBatching };
}

/** Hands every event to each of the targets; one that is slow or away keeps the other from nothing. */
export class AuditBackends {
  readonly #logs: readonly AuditLog[];
  readonly #webhook: AuditWebhook | undefined;
  readonly #events: Counter;

  constructor({ sink, webhook }: AuditTargets, options: { clock: Clock; log: Log; metrics: MetricsRegistry }) {
    this.#events = options.metrics.counter({
      name: 'apiserver_audit_event_total',
      help: 'Counter of audit events generated and sent to the audit backend.',
    });
    this.#webhook = webhook?.sink;
    this.#logs = [
      ...(sink ? [new AuditLog(sink, { ...options, plugin: 'log' })] : []),
      ...(webhook ? [new AuditLog(webhook.sink, { ...options, plugin: 'webhook', batching: webhook.batching })] : []),
    ];
  }

  /** One event as JSON without a newline. */
  add(event: string): void {
    this.#events.inc();
    for (const log of this.#logs) log.add(event);
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    this.#webhook?.hasten();
    await Promise.all(this.#logs.map((log) => log.close()));
  }
}

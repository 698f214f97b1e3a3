import { eventually } from '../../shared/clock/eventually.js';
import type { AuditSink } from './audit-log.js';
import { readAuditPolicy, type AuditPolicy } from './policy.js';

/** The part of an audit event that tests look at. */
export interface AuditedEvent {
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly name?: string; readonly namespace?: string };
  readonly responseStatus?: { readonly code: number };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** For tests: an audit log in memory, of every request. */
export class AuditRecorder implements AuditSink {
  readonly policy: AuditPolicy;
  readonly events: AuditedEvent[] = [];

  constructor(level: 'Metadata' | 'RequestResponse' = 'Metadata') {
    this.policy = readAuditPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level }] });
  }

  /** The last finished request with that verb about an object of that name; waits for it. */
  of(verb: string, name: string): Promise<AuditedEvent> {
    return eventually(() => {
      const found = this.events.findLast(
        (event) => event.stage === 'ResponseComplete' && event.verb === verb && event.objectRef?.name === name,
      );
      if (!found) throw new Error(`no audit event of ${verb} ${name}`);
      return found;
    });
  }

  write(lines: readonly Buffer[]): Promise<void> {
    for (const line of lines) this.events.push(JSON.parse(line.toString()) as AuditedEvent);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

import { setMaxListeners } from 'node:events';
import { leases } from '../api/generated/resources.js';
import type { Lease } from '../api/generated/types.js';
import type { Client } from '../client/client.js';
import { liveObject } from '../client/live-object.js';
import type { Clock } from '../clock/clock.js';
import { isAbort, isConflict, isAlreadyExists, isNotFound } from '../errors/status-error.js';
import type { Log } from '../log/log.js';

export interface LeaderElectionOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly namespace: string;
  readonly name: string;
  /** Who we are; distinct for every process that may be alive at the same time. */
  readonly identity: string;
  /** A leader that did not renew for so long has lost it. Default 15 s. */
  readonly leaseDurationMs?: number;
  /** A leader that cannot renew for so long gives up. Default 10 s; shorter than leaseDurationMs. */
  readonly renewDeadlineMs?: number;
  /** Pause between two attempts. Default 2 s. */
  readonly retryPeriodMs?: number;
}

/** Leadership was lost to another or could not be renewed: the process must end, others may be acting. */
class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
}

/**
 * Runs `lead` while this process holds a Lease, as client-go's leader election does. On abort it waits for `lead` to
 * end, then clears holderIdentity so that another takes over at its next attempt.
 *
 *      wait --acquired--> lead + renew --abort------------> lead ends, Lease released, resolves
 *                                      --deadline missed--> lead is aborted, throws LeadershipLostError
 */
export class LeaderElector {
  readonly #options: Required<LeaderElectionOptions>;
  /** The Lease as last seen, and when we saw it change: clocks of other machines are not trusted. */
  #observed: Lease | undefined;
  #observedAtMs = 0;
  #isLeader = false;

  constructor(options: LeaderElectionOptions) {
    this.#options = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000, ...options };
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await this.#acquire(signal);
    } catch (error) {
      if (signal.aborted && isAbort(error)) return;
      throw error;
    }
    const leading = new AbortController();
    setMaxListeners(0, leading.signal);
    const onAbort = (): void => leading.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.#isLeader = true;
    const { log, name, identity } = this.#options;
    log.info('became leader', { lease: name, identity });
    const work = lead(leading.signal).finally(() => leading.abort());
    work.catch(() => undefined); // awaited below; until then its failure must not end the process
    try {
      await this.#renew(leading.signal);
      await work;
      await this.#release();
    } finally {
      this.#isLeader = false;
      leading.abort();
      signal.removeEventListener('abort', onAbort);
      await work.catch(() => undefined); // a failure of its own was thrown above, one after a loss is its consequence
    }
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    const { clock, random, retryPeriodMs, log, name } = this.#options;
    log.debug('waiting for leadership', { lease: name });
    while (!(await this.#tryAcquireOrRenew(signal))) await clock.sleep(retryPeriodMs * (1 + 0.2 * random()), signal);
  }

  /** Renews until aborted; throws when the deadline passed without success. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { clock, retryPeriodMs, renewDeadlineMs, name } = this.#options;
    let renewedMs = clock.monotonic();
    try {
      for (;;) {
        await clock.sleep(retryPeriodMs, signal);
        const attempt = AbortSignal.any([signal, AbortSignal.timeout(renewDeadlineMs)]);
        if (await this.#tryAcquireOrRenew(attempt)) renewedMs = clock.monotonic();
        else if (clock.monotonic() - renewedMs >= renewDeadlineMs || this.#heldByAnother()) {
          throw new LeadershipLostError(`leadership lost: the Lease ${name} could not be renewed`);
        }
      }
    } catch (error) {
      if (!signal.aborted || error instanceof LeadershipLostError) throw error;
    }
  }

  #heldByAnother(): boolean {
    const holder = this.#observed?.spec?.holderIdentity;
    return holder !== undefined && holder !== '' && holder !== this.#options.identity;
  }

  /** One attempt; false when another holds the Lease, or the server could not be asked. */
  async #tryAcquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { client, namespace, name, log } = this.#options;
    try {
      if (await this.#renewUnread(signal)) return true;
      const lease = await liveObject(client, leases, name, namespace, signal);
      if (!lease) {
        this.#observe(
          await client.create(leases, { metadata: { name, namespace }, spec: this.#spec(undefined) }, { signal }),
        );
        return true;
      }
      this.#observe(lease);
      if (this.#heldByAnother() && !this.#hasExpired(lease)) return false;
      this.#observe(await client.update(leases, { ...lease, spec: this.#spec(lease) }, { signal }));
      return true;
    } catch (error) {
      if (signal.aborted && isAbort(error)) throw error;
      if (isConflict(error) || isAlreadyExists(error)) return false;
      log.warn('cannot acquire or renew the lease, trying again', { lease: name, reason: (error as Error).message });
      return false;
    }
  }

  /** A leader knows its Lease: as in client-go it is read again only when somebody else has written it. */
  async #renewUnread(signal: AbortSignal): Promise<boolean> {
    const { client, identity } = this.#options;
    const lease = this.#observed;
    if (!this.#isLeader || lease?.spec?.holderIdentity !== identity) return false;
    try {
      this.#observe(await client.update(leases, { ...lease, spec: this.#spec(lease) }, { signal }));
      return true;
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return false;
      throw error;
    }
  }

  #observe(lease: Lease): void {
    if (lease.metadata.resourceVersion === this.#observed?.metadata.resourceVersion) return;
    this.#observed = lease;
    this.#observedAtMs = this.#options.clock.monotonic();
  }

  #hasExpired(lease: Lease): boolean {
    const durationMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
    return this.#options.clock.monotonic() - this.#observedAtMs >= durationMs;
  }

  #spec(previous: Lease | undefined): NonNullable<Lease['spec']> {
    const { clock, identity, leaseDurationMs } = this.#options;
    const now = microTime(clock.now());
    const held = previous?.spec?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.round(leaseDurationMs / 1000),
      acquireTime: (held ? previous?.spec?.acquireTime : undefined) ?? now,
      renewTime: now,
      leaseTransitions: (previous?.spec?.leaseTransitions ?? 0) + (previous && !held ? 1 : 0),
    };
  }

  async #release(): Promise<void> {
    const { client, clock, log, name, namespace } = this.#options;
    const signal = AbortSignal.timeout(2_000);
    try {
      // Our last renewal may have been written although its answer was not awaited: then the Lease is read again.
      for (let lease = this.#observed; lease?.spec?.holderIdentity === this.#options.identity;) {
        const now = microTime(clock.now());
        const { leaseTransitions = 0 } = lease.spec;
        const released = {
          holderIdentity: '',
          leaseDurationSeconds: 1,
          renewTime: now,
          acquireTime: now,
          leaseTransitions,
        };
        try {
          await client.update(leases, { ...lease, spec: released }, { signal });
          return;
        } catch (error) {
          if (!isConflict(error)) throw error;
          lease = await client.get(leases, name, namespace, { signal });
        }
      }
    } catch (error) {
      log.warn('could not release the lease, others wait for its end', {
        lease: name,
        reason: (error as Error).message,
      });
    }
  }
}

/** RFC 3339 with microseconds: the API's MicroTime. */
function microTime(nowMs: number): string {
  return new Date(nowMs).toISOString().replace('Z', '000Z');
}

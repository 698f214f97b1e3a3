import { leases } from '../../shared/api/generated/resources.js';
import type { Lease, Node, ObjectMeta } from '../../shared/api/generated/types.js';
import { NAMESPACE_NODE_LEASE } from '../../shared/api/well-known.js';
import type { Client } from '../../shared/client/client.js';
import { liveObject } from '../../shared/client/live-object.js';
import { pause, type Clock } from '../../shared/clock/clock.js';
import { isConflict } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';

export interface NodeLeaseOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
  /** Owner of the Lease, once it is registered. */
  readonly node: () => Node | undefined;
}

const durationSeconds = 40;
const renewMs = 10_000;
const retryMs = 1_000;

/** The node's heartbeat: a Lease of its own in kube-node-lease, renewed every ten seconds. */
export class NodeLease {
  readonly #options: NodeLeaseOptions;
  #lease: Lease | undefined;

  constructor(options: NodeLeaseOptions) {
    this.#options = options;
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.#renew(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        if (failures === 5) log.warn('the node lease cannot be renewed', { error });
      }
      await pause(clock, failures > 0 ? retryMs : renewMs, signal);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { client, nodeName } = this.#options;
    try {
      this.#lease ??= await liveObject(client, leases, nodeName, NAMESPACE_NODE_LEASE, signal);
      this.#lease = this.#lease
        ? await client.update(leases, { ...this.#lease, spec: this.#spec() }, { signal })
        : await client.create(leases, { metadata: this.#metadata(), spec: this.#spec() }, { signal });
    } catch (error) {
      this.#lease = undefined;
      if (!isConflict(error)) throw error;
      // Nobody else writes it but an earlier life of this kubelet: read it anew and go on.
      const current = await client.get(leases, nodeName, NAMESPACE_NODE_LEASE, { signal });
      this.#lease = await client.update(leases, { ...current, spec: this.#spec() }, { signal });
    }
  }

  #metadata(): Partial<ObjectMeta> {
    const node = this.#options.node();
    const owner = node?.metadata.uid
      ? [{ apiVersion: 'v1', kind: 'Node', name: this.#options.nodeName, uid: node.metadata.uid }]
      : [];
    return { name: this.#options.nodeName, namespace: NAMESPACE_NODE_LEASE, ownerReferences: owner };
  }

  #spec(): NonNullable<Lease['spec']> {
    // MicroTime: six digits.
    const renewTime = new Date(this.#options.clock.now()).toISOString().replace(/Z$/, '000Z');
    return { holderIdentity: this.#options.nodeName, leaseDurationSeconds: durationSeconds, renewTime };
  }
}

import { ipaddresses, servicecidrs } from '../../shared/api/generated/resources.js';
import type { IPAddress, ServiceCIDR } from '../../shared/api/generated/types.js';
import type { SharedInformer } from '../../shared/cache/shared-informer.js';
import type { Client } from '../../shared/client/client.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import type { ReconcileResult } from '../../shared/controller/reconciler.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { timestamp } from '../replicaset/plan-replicas.js';
import {
  containing,
  deletionGraceMs,
  overlapping,
  planServiceCidr,
  readyCondition,
  serviceCidrFinalizer,
  type Ranges,
} from './plan-service-cidr.js';

const name = 'service-cidr-controller';
const account = 'service-cidrs-controller';

/** A ServiceCIDR is ready, and when deleted it stays until no Service has an address that is of no other one. */
export const serviceCidrController: ControllerDefinition = serviceCidrControllerWith(deletionGraceMs);

/** With another time between a deletion and its end. */
export function serviceCidrControllerWith(graceMs: number): ControllerDefinition {
  return {
    name,
    build: (context: ControllerContext): Runnable => {
      const cidrs = context.informers.informer(servicecidrs);
      const addresses = context.informers.informer(ipaddresses);
      const keeper = new RangeKeeper(context, cidrs, addresses, graceMs);
      const controller = newController(context, {
        name: 'ipaddresses',
        informers: [cidrs, addresses],
        // One at a time: of two equal ranges that are deleted together, the last one must see that it is the last.
        workers: 1,
        reconcile: (key, signal) => keeper.reconcile(key, signal),
      });
      const enqueue = (names: readonly string[]): void => names.forEach((each) => controller.queue.add(each));
      const onRange = (cidr: ServiceCIDR): void => enqueue(overlapping(cidr, cidrs.lister.list()));
      const onAddress = (address: IPAddress): void => enqueue(containing(address, cidrs.lister.list()));
      cidrs.addHandler({ onAdd: onRange, onUpdate: (_, cidr) => onRange(cidr), onDelete: onRange });
      // Whether one more holds a range is looked at when the range goes; one less may free it.
      addresses.addHandler({ onAdd: onAddress, onDelete: onAddress });
      return controller;
    },
  };
}

class RangeKeeper {
  readonly #context: ControllerContext;
  readonly #cidrs: SharedInformer<ServiceCIDR>;
  readonly #addresses: SharedInformer<IPAddress>;
  readonly #graceMs: number;
  readonly #client: Client;
  readonly #recorder: EventRecorder;

  constructor(
    context: ControllerContext,
    cidrs: SharedInformer<ServiceCIDR>,
    addresses: SharedInformer<IPAddress>,
    graceMs: number,
  ) {
    this.#context = context;
    this.#cidrs = cidrs;
    this.#addresses = addresses;
    this.#graceMs = graceMs;
    this.#client = context.client(account);
    this.#recorder = context.recorder(account, name);
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const cidr = this.#cidrs.lister.get(key);
    if (!cidr) return undefined;
    const cached = { cidrs: this.#cidrs.lister.list(), addresses: this.#addresses.lister.list() };
    let plan = planServiceCidr(cidr, cached, this.#context.clock.now(), this.#graceMs);
    if (plan.action === 'release') {
      // The caches may be behind: what cannot be taken back is decided by what the server says.
      plan = planServiceCidr(cidr, await this.#stored(signal), this.#context.clock.now(), this.#graceMs);
    }
    try {
      switch (plan.action) {
        case 'none':
          return undefined;
        case 'wait':
          return { requeueAfterMs: plan.delayMs };
        case 'keep':
          if (plan.needsFinalizer) await this.#patch(cidr, { finalizers: [serviceCidrFinalizer] }, signal);
          if (plan.needsCondition) await this.#tell(cidr, true, signal);
          return undefined;
        case 'block':
          if (plan.needsCondition) await this.#tell(cidr, false, signal);
          return undefined;
        case 'release':
          return await this.#patch(cidr, { '$deleteFromPrimitiveList/finalizers': [serviceCidrFinalizer] }, signal);
      }
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return undefined;
    }
  }

  async #stored(signal: AbortSignal): Promise<Ranges> {
    const [cidrs, addresses] = await Promise.all([
      this.#client.list(servicecidrs, { signal }),
      this.#client.list(ipaddresses, { signal }),
    ]);
    return { cidrs: cidrs.items, addresses: addresses.items };
  }

  async #patch({ metadata }: ServiceCIDR, change: object, signal: AbortSignal): Promise<void> {
    const patch = { metadata: { uid: metadata.uid, ...change } };
    await this.#client.patch(servicecidrs, metadata.name, undefined, 'strategic', patch, { signal });
  }

  async #tell(cidr: ServiceCIDR, isReady: boolean, signal: AbortSignal): Promise<void> {
    const { apiVersion, kind } = servicecidrs;
    const conditions = [readyCondition(isReady, timestamp(this.#context.clock.now()))];
    const applied = { apiVersion, kind, metadata: { name: cidr.metadata.name }, status: { conditions } };
    const options = { subresource: 'status', fieldManager: name, force: true, signal };
    try {
      await this.#client.patch(servicecidrs, cidr.metadata.name, undefined, 'apply', applied, options);
    } catch (error) {
      if (isReady && !signal.aborted && !isNotFound(error)) {
        const text = 'The ServiceCIDR Status can not be set to Ready=True';
        this.#recorder.event(cidr, 'Warning', 'KubernetesServiceCIDRError', text);
      }
      throw error;
    }
  }
}

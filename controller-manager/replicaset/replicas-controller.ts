import { pods } from '../../shared/api/generated/resources.js';
import type { Pod } from '../../shared/api/generated/types.js';
import { objectKey } from '../../shared/api/object.js';
import { controllerOf, controllerReference } from '../../shared/api/owner.js';
import { isPodActive } from '../../shared/api/pod.js';
import { matchesSelector } from '../../shared/api/selector.js';
import type { SharedInformer } from '../../shared/cache/shared-informer.js';
import type { Client } from '../../shared/client/client.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import type { ReconcileResult } from '../../shared/controller/reconciler.js';
import type { Workqueue } from '../../shared/workqueue/workqueue.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { claimChildren } from '../child-claims.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { isTerminatingNamespace } from '../namespace-state.js';
import { OwnWrites } from '../own-writes.js';
import { candidatesOf, ownerIndexes } from '../pod-owner-index.js';
import { isSameStatus } from '../status-equality.js';
import { nextAvailabilityMs, planReplicas, replicasStatus, type ReplicasFailure } from './plan-replicas.js';
import { slowStart } from './pod-batch.js';
import type { Replicated, ReplicatedKind } from './replicated-kind.js';

/** The controller of one kind of object that asks for a number of pods. */
export function replicasController<T extends Replicated>(kind: ReplicatedKind<T>): ControllerDefinition {
  return {
    name: kind.controller,
    build: (context: ControllerContext): Runnable => {
      const owners = context.informers.informer(kind.resource, { indexes: ownerIndexes });
      const podInformer = context.informers.informer(pods, { indexes: ownerIndexes });
      const reconciler = new ReplicasReconciler(kind, context, owners, podInformer);
      const controller = newController(context, {
        name: kind.queue,
        informers: [owners, podInformer],
        reconcile: (key, signal) => reconciler.reconcile(key, signal),
      });
      watchOwnersAndPods(kind, owners, podInformer, controller.queue);
      return controller;
    },
  };
}

function watchOwnersAndPods<T extends Replicated>(
  kind: ReplicatedKind<T>,
  owners: SharedInformer<T>,
  podInformer: SharedInformer<Pod>,
  queue: Workqueue,
): void {
  owners.addHandler({
    onAdd: (owner) => queue.add(objectKey(owner)),
    onUpdate: (_, owner) => queue.add(objectKey(owner)),
    onDelete: (owner) => queue.add(objectKey(owner)),
  });
  const enqueueOwner = (pod: Pod): boolean => {
    const owner = controllerOf(pod);
    if (owner?.kind === kind.resource.kind) queue.add(`${pod.metadata.namespace}/${owner.name}`);
    return owner !== undefined;
  };
  /** An orphan wakes all that could adopt it. */
  const enqueueMatching = (pod: Pod): void => {
    for (const owner of owners.lister.listNamespace(pod.metadata.namespace ?? '')) {
      if (matchesSelector(kind.selector(owner), pod.metadata.labels)) queue.add(objectKey(owner));
    }
  };
  const onChange = (pod: Pod): void => {
    if (!enqueueOwner(pod) && !pod.metadata.deletionTimestamp) enqueueMatching(pod);
  };
  podInformer.addHandler({
    onAdd: onChange,
    onUpdate: (previous, pod) => {
      if (controllerOf(previous)?.uid !== controllerOf(pod)?.uid) enqueueOwner(previous);
      onChange(pod);
    },
    onDelete: (pod) => void enqueueOwner(pod),
  });
}

class ReplicasReconciler<T extends Replicated> {
  readonly #kind: ReplicatedKind<T>;
  readonly #context: ControllerContext;
  readonly #owners: SharedInformer<T>;
  readonly #pods: SharedInformer<Pod>;
  readonly #client: Client;
  readonly #recorder: EventRecorder;
  readonly #writes: OwnWrites<Pod>;

  constructor(
    kind: ReplicatedKind<T>,
    context: ControllerContext,
    owners: SharedInformer<T>,
    podInformer: SharedInformer<Pod>,
  ) {
    this.#kind = kind;
    this.#context = context;
    this.#owners = owners;
    this.#pods = podInformer;
    this.#client = context.client(kind.account);
    this.#recorder = context.recorder(kind.account);
    this.#writes = new OwnWrites(podInformer, context.clock);
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const owner = this.#owners.lister.get(key);
    if (!owner) return this.#writes.forget(key);
    const isBehind = this.#writes.isPending(key);
    const owned = await claimChildren(candidatesOf(this.#pods.lister, owner), {
      client: this.#client,
      owner,
      ownerResource: this.#kind.resource,
      childResource: pods,
      selector: this.#kind.selector(owner),
      signal,
    });
    const outcome = isBehind ? {} : await this.#manage(key, owner, owned, signal);
    await this.#writeStatus(owner, owned, outcome.failure, signal);
    if (outcome.error !== undefined) throw outcome.error;
    const nowMs = this.#context.clock.now();
    const availableMs = nextAvailabilityMs(owner, owned, nowMs);
    // The cache's next event wakes us; the delay is for the case that it shows nothing any more.
    const behindMs = isBehind ? 5_000 : undefined;
    const requeueAfterMs = Math.min(availableMs ?? Infinity, behindMs ?? Infinity);
    return Number.isFinite(requeueAfterMs) ? { requeueAfterMs } : undefined;
  }

  async #manage(
    key: string,
    owner: T,
    owned: readonly Pod[],
    signal: AbortSignal,
  ): Promise<{ failure?: ReplicasFailure; error?: unknown }> {
    const plan = planReplicas(owner, owned, this.#nodeLoad(owner), this.#context.clock.now());
    switch (plan.action) {
      case 'none':
        return {};
      case 'create':
        return this.#createPods(key, owner, plan.count, signal);
      case 'delete':
        return this.#deletePods(key, owner, plan.pods, signal);
    }
  }

  async #createPods(
    key: string,
    owner: T,
    count: number,
    signal: AbortSignal,
  ): Promise<{ failure?: ReplicasFailure; error?: unknown }> {
    const { metadata, spec } = owner;
    const template = spec?.template;
    const pod = {
      metadata: {
        generateName: `${metadata.name.slice(0, 58)}-`,
        ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
        ...(template?.metadata?.labels ? { labels: template.metadata.labels } : {}),
        ...(template?.metadata?.annotations ? { annotations: template.metadata.annotations } : {}),
        ...(template?.metadata?.finalizers ? { finalizers: template.metadata.finalizers } : {}),
        ownerReferences: [controllerReference(owner, this.#kind.resource)],
      },
      spec: template?.spec ?? { containers: [] },
    };
    const { failure } = await slowStart(count, async () => {
      try {
        const created = await this.#client.create(pods, pod, { signal });
        this.#writes.created(key, created);
        this.#recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
      } catch (error) {
        if (!signal.aborted && !isTerminatingNamespace(error)) {
          this.#recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
        }
        throw error;
      }
    });
    if (failure === undefined || isTerminatingNamespace(failure)) return {};
    return { failure: { reason: 'FailedCreate', message: messageOf(failure) }, error: failure };
  }

  async #deletePods(
    key: string,
    owner: T,
    doomed: readonly Pod[],
    signal: AbortSignal,
  ): Promise<{ failure?: ReplicasFailure; error?: unknown }> {
    const remove = async (pod: Pod): Promise<void> => {
      const { name, namespace, uid } = pod.metadata;
      try {
        await this.#client.delete(pods, name, namespace, { preconditions: { uid }, signal });
        this.#writes.deleted(key, pod);
        this.#recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
      } catch (error) {
        if (isNotFound(error)) return;
        if (!signal.aborted) {
          this.#recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
        }
        throw error;
      }
    };
    const results = await Promise.allSettled(doomed.map(remove));
    const failed = results.find((result) => result.status === 'rejected');
    if (!failed) return {};
    const error = failed.reason as unknown;
    return { failure: { reason: 'FailedDelete', message: messageOf(error) }, error };
  }

  async #writeStatus(
    owner: T,
    owned: readonly Pod[],
    failure: ReplicasFailure | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { terminatingReplicas, ...counted } = replicasStatus(owner, owned, failure, this.#context.clock.now());
    const status = this.#kind.countsTerminating ? { ...counted, terminatingReplicas } : counted;
    if (isSameStatus(owner.status, status)) return;
    const { name, namespace, resourceVersion } = owner.metadata;
    const patch = { metadata: { resourceVersion }, status };
    try {
      await this.#client.patch(this.#kind.resource, name, namespace, 'merge', patch, { subresource: 'status', signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Counts, per node, the active pods of all owners under the same controller: the old and new ReplicaSets of a Deployment. */
  #nodeLoad(owner: T): (pod: Pod) => number {
    let load: Map<string, number> | undefined;
    return (pod) => {
      load ??= this.#countByNode(owner);
      return load.get(pod.spec?.nodeName ?? '') ?? 0;
    };
  }

  #countByNode(owner: T): Map<string, number> {
    const controller = controllerOf(owner);
    const related = controller ? this.#owners.lister.byIndex('controller', controller.uid) : [owner];
    const load = new Map<string, number>();
    for (const { metadata } of related) {
      for (const pod of this.#pods.lister.byIndex('controller', metadata.uid)) {
        const node = pod.spec?.nodeName ?? '';
        if (isPodActive(pod)) load.set(node, (load.get(node) ?? 0) + 1);
      }
    }
    return load;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

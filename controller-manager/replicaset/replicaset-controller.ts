import { pods, replicasets } from '../../shared/api/generated/resources.js';
import type { Pod, ReplicaSet } from '../../shared/api/generated/types.js';
import { objectKey } from '../../shared/api/object.js';
import { controllerOf, controllerReference } from '../../shared/api/owner.js';
import { isPodActive } from '../../shared/api/pod.js';
import { matchesSelector, selectorOf } from '../../shared/api/selector.js';
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
import { nextAvailabilityMs, planReplicas, replicaSetStatus, type ReplicasFailure } from './plan-replicas.js';
import { slowStart } from './pod-batch.js';

/** Keeps as many pods of a template as spec.replicas says. */
export const replicaSetController: ControllerDefinition = {
  name: 'replicaset-controller',
  build: (context: ControllerContext): Runnable => {
    const replicaSets = context.informers.informer(replicasets, { indexes: ownerIndexes });
    const podInformer = context.informers.informer(pods, { indexes: ownerIndexes });
    const reconciler = new ReplicaSetReconciler(context, replicaSets, podInformer);
    const controller = newController(context, {
      name: 'replicaset',
      informers: [replicaSets, podInformer],
      reconcile: (key, signal) => reconciler.reconcile(key, signal),
    });
    watchOwnersAndPods(replicaSets, podInformer, controller.queue);
    return controller;
  },
};

function watchOwnersAndPods(
  replicaSets: SharedInformer<ReplicaSet>,
  podInformer: SharedInformer<Pod>,
  queue: Workqueue,
): void {
  replicaSets.addHandler({
    onAdd: (replicaSet) => queue.add(objectKey(replicaSet)),
    onUpdate: (_, replicaSet) => queue.add(objectKey(replicaSet)),
    onDelete: (replicaSet) => queue.add(objectKey(replicaSet)),
  });
  const enqueueOwner = (pod: Pod): boolean => {
    const owner = controllerOf(pod);
    if (owner?.kind === 'ReplicaSet') queue.add(`${pod.metadata.namespace}/${owner.name}`);
    return owner !== undefined;
  };
  /** An orphan wakes all that could adopt it. */
  const enqueueMatching = (pod: Pod): void => {
    for (const replicaSet of replicaSets.lister.listNamespace(pod.metadata.namespace ?? '')) {
      if (matchesSelector(selectorOf(replicaSet.spec?.selector), pod.metadata.labels)) queue.add(objectKey(replicaSet));
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

class ReplicaSetReconciler {
  readonly #context: ControllerContext;
  readonly #replicaSets: SharedInformer<ReplicaSet>;
  readonly #pods: SharedInformer<Pod>;
  readonly #client: Client;
  readonly #recorder: EventRecorder;
  readonly #writes: OwnWrites<Pod>;

  constructor(context: ControllerContext, replicaSets: SharedInformer<ReplicaSet>, podInformer: SharedInformer<Pod>) {
    this.#context = context;
    this.#replicaSets = replicaSets;
    this.#pods = podInformer;
    this.#client = context.client('replicaset-controller');
    this.#recorder = context.recorder('replicaset-controller');
    this.#writes = new OwnWrites(podInformer, context.clock);
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const replicaSet = this.#replicaSets.lister.get(key);
    if (!replicaSet) return this.#writes.forget(key);
    const isBehind = this.#writes.isPending(key);
    const owned = await claimChildren(candidatesOf(this.#pods.lister, replicaSet), {
      client: this.#client,
      owner: replicaSet,
      ownerResource: replicasets,
      childResource: pods,
      selector: selectorOf(replicaSet.spec?.selector),
      signal,
    });
    const outcome = isBehind ? {} : await this.#manage(key, replicaSet, owned, signal);
    await this.#writeStatus(replicaSet, owned, outcome.failure, signal);
    if (outcome.error !== undefined) throw outcome.error;
    const nowMs = this.#context.clock.now();
    const availableMs = nextAvailabilityMs(replicaSet, owned, nowMs);
    // The cache's next event wakes us; the delay is for the case that it shows nothing any more.
    const behindMs = isBehind ? 5_000 : undefined;
    const requeueAfterMs = Math.min(availableMs ?? Infinity, behindMs ?? Infinity);
    return Number.isFinite(requeueAfterMs) ? { requeueAfterMs } : undefined;
  }

  async #manage(
    key: string,
    replicaSet: ReplicaSet,
    owned: readonly Pod[],
    signal: AbortSignal,
  ): Promise<{ failure?: ReplicasFailure; error?: unknown }> {
    const plan = planReplicas(replicaSet, owned, this.#nodeLoad(replicaSet), this.#context.clock.now());
    switch (plan.action) {
      case 'none':
        return {};
      case 'create':
        return this.#createPods(key, replicaSet, plan.count, signal);
      case 'delete':
        return this.#deletePods(key, replicaSet, plan.pods, signal);
    }
  }

  async #createPods(
    key: string,
    replicaSet: ReplicaSet,
    count: number,
    signal: AbortSignal,
  ): Promise<{ failure?: ReplicasFailure; error?: unknown }> {
    const { metadata, spec } = replicaSet;
    const template = spec?.template;
    const pod = {
      metadata: {
        generateName: `${metadata.name.slice(0, 58)}-`,
        ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
        ...(template?.metadata?.labels ? { labels: template.metadata.labels } : {}),
        ...(template?.metadata?.annotations ? { annotations: template.metadata.annotations } : {}),
        ...(template?.metadata?.finalizers ? { finalizers: template.metadata.finalizers } : {}),
        ownerReferences: [controllerReference(replicaSet, replicasets)],
      },
      spec: template?.spec ?? { containers: [] },
    };
    const { failure } = await slowStart(count, async () => {
      try {
        const created = await this.#client.create(pods, pod, { signal });
        this.#writes.created(key, created);
        this.#recorder.event(replicaSet, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
      } catch (error) {
        if (!signal.aborted && !isTerminatingNamespace(error)) {
          this.#recorder.event(replicaSet, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
        }
        throw error;
      }
    });
    if (failure === undefined || isTerminatingNamespace(failure)) return {};
    return { failure: { reason: 'FailedCreate', message: messageOf(failure) }, error: failure };
  }

  async #deletePods(
    key: string,
    replicaSet: ReplicaSet,
    doomed: readonly Pod[],
    signal: AbortSignal,
  ): Promise<{ failure?: ReplicasFailure; error?: unknown }> {
    const remove = async (pod: Pod): Promise<void> => {
      const { name, namespace, uid } = pod.metadata;
      try {
        await this.#client.delete(pods, name, namespace, { preconditions: { uid }, signal });
        this.#writes.deleted(key, pod);
        this.#recorder.event(replicaSet, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
      } catch (error) {
        if (isNotFound(error)) return;
        if (!signal.aborted) {
          this.#recorder.event(replicaSet, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
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
    replicaSet: ReplicaSet,
    owned: readonly Pod[],
    failure: ReplicasFailure | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const status = replicaSetStatus(replicaSet, owned, failure, this.#context.clock.now());
    if (isSameStatus(replicaSet.status, status)) return;
    const { name, namespace, resourceVersion } = replicaSet.metadata;
    const patch = { metadata: { resourceVersion }, status };
    try {
      await this.#client.patch(replicasets, name, namespace, 'merge', patch, { subresource: 'status', signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Counts, per node, the active pods of all ReplicaSets under the same controller: the old and new ones of a Deployment. */
  #nodeLoad(replicaSet: ReplicaSet): (pod: Pod) => number {
    let load: Map<string, number> | undefined;
    return (pod) => {
      load ??= this.#countByNode(replicaSet);
      return load.get(pod.spec?.nodeName ?? '') ?? 0;
    };
  }

  #countByNode(replicaSet: ReplicaSet): Map<string, number> {
    const owner = controllerOf(replicaSet);
    const related = owner ? this.#replicaSets.lister.byIndex('controller', owner.uid) : [replicaSet];
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

import type { OwnerReference } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import { FINALIZER_FOREGROUND, FINALIZER_ORPHAN } from '../../shared/api/well-known.js';
import type { Client } from '../../shared/client/client.js';
import { liveObject } from '../../shared/client/live-object.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import { isConflict, isInvalid, isNotFound } from '../../shared/errors/status-error.js';
import { OwnerGraph, type GraphNode } from './owner-graph.js';
import { planCollection, type OwnerState } from './plan-collection.js';

/** Finds the resource of an owner reference; undefined for a kind that the server does not know. */
export type FindResource = (apiVersion: string, kind: string) => Resource<KubernetesObject> | undefined;

export interface CollectorDependencies {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly findResource: FindResource;
}

/** Looks at one object at a time and collects it, or serves those that wait for its end. */
export class GarbageCollector {
  readonly graph = new OwnerGraph();
  readonly #deps: CollectorDependencies;

  constructor(deps: CollectorDependencies) {
    this.#deps = deps;
  }

  /** Returns the uids to look at next. */
  async reconcile(uid: string, signal: AbortSignal): Promise<string[]> {
    const node = this.graph.get(uid);
    if (!node) return [];
    if (node.isOrphaning) {
      await this.#orphanDependents(node, signal);
      return [];
    }
    if (node.isForeground) return this.#serveForeground(node, signal);
    if (!node.isBeingDeleted && node.owners.length > 0) await this.#collect(node, signal);
    return [];
  }

  async #collect(node: GraphNode, signal: AbortSignal): Promise<void> {
    const live = await this.#live(node.resource, node.name, node.namespace, signal);
    // The graph is behind: the event that brings it up to date brings the object here again.
    if (live?.metadata.uid !== node.uid || live.metadata.deletionTimestamp) return;
    const verdicts = [];
    for (const owner of live.metadata.ownerReferences ?? []) {
      verdicts.push({ owner, state: await this.#stateOf(owner, node, live, signal) });
    }
    const dependents = this.graph.dependentsOf(node.uid);
    const plan = planCollection(verdicts, live.metadata.finalizers ?? [], dependents);
    if (plan.action === 'detach') return this.#removeOwners(node, plan.uids, signal);
    if (plan.action !== 'delete') return;
    if (plan.unblock) await this.#unblock(node, signal);
    const { uid, resourceVersion } = live.metadata;
    // With the version as a precondition: whoever adds an owner meanwhile keeps the object.
    const preconditions = { uid, resourceVersion };
    try {
      const { client } = this.#deps;
      await client.delete(node.resource, node.name, node.namespace, {
        propagationPolicy: plan.policy,
        preconditions,
        signal,
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** An owner that the graph does not know is asked for: the graph may be behind, an object must not die of that. */
  async #stateOf(
    owner: OwnerReference,
    node: GraphNode,
    dependent: KubernetesObject,
    signal: AbortSignal,
  ): Promise<OwnerState> {
    const resource = this.#deps.findResource(owner.apiVersion, owner.kind);
    if (!resource)
      throw new Error(
        `no resource for owner ${owner.apiVersion} ${owner.kind} of ${node.resource.resource} ${node.name}`,
      );
    if (resource.namespaced && node.namespace === undefined) {
      this.#reportInvalid(owner, dependent, 'cluster-scoped objects cannot have namespaced owners');
      return 'solid'; // cannot be resolved, so nothing may be concluded from it
    }
    const namespace = resource.namespaced ? node.namespace : undefined;
    const known = this.graph.get(owner.uid);
    if (known && isSame(known, resource, owner.name, namespace)) return known.isForeground ? 'waiting' : 'solid';
    // What is called by another kind or name is asked for by that; only its namespace is certain to be wrong.
    if (known && known.namespace !== namespace)
      this.#reportInvalid(
        owner,
        dependent,
        `owner is in namespace "${known.namespace ?? ''}", not "${namespace ?? ''}"`,
      );
    const live = await this.#live(resource, owner.name, namespace, signal);
    if (live?.metadata.uid !== owner.uid) return 'dangling';
    const waits = live.metadata.deletionTimestamp && live.metadata.finalizers?.includes(FINALIZER_FOREGROUND);
    return waits ? 'waiting' : 'solid';
  }

  #reportInvalid(owner: OwnerReference, dependent: KubernetesObject, why: string): void {
    const { apiVersion, kind, name, uid } = owner;
    const text = `ownerRef [${apiVersion}/${kind}, name: ${name}, uid: ${uid}] is invalid: ${why}`;
    this.#deps.recorder.event(dependent, 'Warning', 'OwnerRefInvalidNamespace', text);
  }

  /** Deletes what blocks the end of an owner; lets the owner go when nothing does. */
  async #serveForeground(node: GraphNode, signal: AbortSignal): Promise<string[]> {
    const dependents = this.graph.dependentsOf(node.uid);
    const blocking = dependents.filter(({ owners }) => owners.some((o) => o.uid === node.uid && o.blockOwnerDeletion));
    if (blocking.length > 0) return dependents.filter((d) => !d.isBeingDeleted).map(({ uid }) => uid);
    await this.#removeFinalizer(node, FINALIZER_FOREGROUND, signal);
    return [];
  }

  async #orphanDependents(node: GraphNode, signal: AbortSignal): Promise<void> {
    for (const dependent of this.graph.dependentsOf(node.uid)) await this.#removeOwners(dependent, [node.uid], signal);
    await this.#removeFinalizer(node, FINALIZER_ORPHAN, signal);
  }

  async #unblock(node: GraphNode, signal: AbortSignal): Promise<void> {
    await this.#rewriteOwners(
      node,
      (owners) => owners.map((owner) => ({ ...owner, blockOwnerDeletion: false })),
      signal,
    );
  }

  #removeOwners(node: GraphNode, uids: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#rewriteOwners(node, (owners) => owners.filter(({ uid }) => !uids.includes(uid)), signal);
  }

  /** A merge patch with the version as precondition: custom resources know no strategic patch. */
  async #rewriteOwners(
    node: GraphNode,
    change: (owners: readonly OwnerReference[]) => OwnerReference[],
    signal: AbortSignal,
  ): Promise<void> {
    await this.#patchMetadata(node, signal, ({ metadata }) => ({
      ownerReferences: change(metadata.ownerReferences ?? []),
    }));
  }

  #removeFinalizer(node: GraphNode, finalizer: string, signal: AbortSignal): Promise<void> {
    return this.#patchMetadata(node, signal, ({ metadata }) =>
      metadata.finalizers?.includes(finalizer)
        ? { finalizers: metadata.finalizers.filter((one) => one !== finalizer) }
        : undefined,
    );
  }

  async #patchMetadata(
    node: GraphNode,
    signal: AbortSignal,
    change: (live: KubernetesObject) => object | undefined,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const live = await this.#live(node.resource, node.name, node.namespace, signal);
      if (live?.metadata.uid !== node.uid) return;
      const changed = change(live);
      if (!changed) return;
      const { resourceVersion, uid } = live.metadata;
      const patch = { metadata: { resourceVersion, uid, ...changed } };
      try {
        await this.#deps.client.patch(node.resource, node.name, node.namespace, 'merge', patch, { signal });
        return;
      } catch (error) {
        if (isNotFound(error) || (isInvalid(error) && attempt > 1)) return;
        if (!isConflict(error) || attempt >= 5) throw error;
      }
    }
  }

  #live(
    resource: Resource<KubernetesObject>,
    name: string,
    namespace: string | undefined,
    signal: AbortSignal,
  ): Promise<KubernetesObject | undefined> {
    return liveObject(this.#deps.client, resource, name, namespace, signal);
  }
}

function isSame(node: GraphNode, resource: Resource, name: string, namespace: string | undefined): boolean {
  return (
    node.resource.group === resource.group &&
    node.resource.kind === resource.kind &&
    node.name === name &&
    node.namespace === namespace
  );
}

import type { OwnerReference } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import { FINALIZER_FOREGROUND, FINALIZER_ORPHAN } from '../../shared/api/well-known.js';

/** One object as the collector sees it. */
export interface GraphNode {
  readonly uid: string;
  readonly resource: Resource<KubernetesObject>;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly owners: readonly OwnerReference[];
  readonly isBeingDeleted: boolean;
  /** Waits until its dependents are gone. */
  readonly isForeground: boolean;
  /** Waits until its dependents no longer refer to it. */
  readonly isOrphaning: boolean;
}

export function graphNode(resource: Resource<KubernetesObject>, { metadata }: KubernetesObject): GraphNode {
  const { uid, name, namespace, ownerReferences = [], finalizers = [], deletionTimestamp } = metadata;
  const isBeingDeleted = deletionTimestamp !== undefined;
  return {
    uid,
    resource,
    name,
    namespace,
    owners: ownerReferences,
    isBeingDeleted,
    isForeground: isBeingDeleted && finalizers.includes(FINALIZER_FOREGROUND),
    isOrphaning: isBeingDeleted && finalizers.includes(FINALIZER_ORPHAN),
  };
}

/**
 * All objects of the cluster by uid, and for each uid who claims it as an owner, whether that owner is known or not.
 * Every change returns the uids that must be looked at again.
 */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  dependentsOf(uid: string): GraphNode[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#nodes.get(dependent) ?? []);
  }

  get size(): number {
    return this.#nodes.size;
  }

  set(node: GraphNode): string[] {
    const previous = this.#nodes.get(node.uid);
    if (previous) this.#unlink(previous);
    this.#nodes.set(node.uid, node);
    for (const { uid } of node.owners) {
      const dependents = this.#dependents.get(uid);
      if (dependents) dependents.add(node.uid);
      else this.#dependents.set(uid, new Set([node.uid]));
    }
    return this.#touchedBySet(previous, node);
  }

  delete(uid: string): string[] {
    const node = this.#nodes.get(uid);
    if (!node) return [];
    this.#unlink(node);
    this.#nodes.delete(uid);
    // Dependents may have lost their last owner; an owner may have waited for this one.
    return [...(this.#dependents.get(uid) ?? []), ...this.#waitingOwners(node)];
  }

  /** Forgets all objects of a resource. */
  deleteAll({ group, resource }: Resource): string[] {
    const gone = [...this.#nodes.values()].filter(
      (node) => node.resource.group === group && node.resource.resource === resource,
    );
    return gone.flatMap(({ uid }) => this.delete(uid));
  }

  #touchedBySet(previous: GraphNode | undefined, node: GraphNode): string[] {
    const touched: string[] = [];
    if (node.owners.length > 0 || node.isForeground || node.isOrphaning) touched.push(node.uid);
    // An owner that waits must learn of references that were removed or stopped blocking.
    if (previous) touched.push(...this.#waitingOwners(previous));
    return touched;
  }

  #waitingOwners(node: GraphNode): string[] {
    return node.owners.flatMap(({ uid }) => (this.#nodes.get(uid)?.isForeground ? [uid] : []));
  }

  #unlink(node: GraphNode): void {
    for (const { uid } of node.owners) {
      const dependents = this.#dependents.get(uid);
      dependents?.delete(node.uid);
      if (dependents?.size === 0) this.#dependents.delete(uid);
    }
  }
}

import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
} from '../shared/api/generated/types.js';
import { objectKey } from '../shared/api/object.js';
import { amount, isPodTerminal } from '../shared/api/pod.js';
import { DEFAULT_SCHEDULER } from '../shared/api/well-known.js';
import type { Informer } from '../shared/cache/informer.js';
import type { NodeTable } from './node-table.js';
import type { Nominations } from './nominations.js';
import { type PodInfo, toPodInfo } from './pod-info.js';
import type { SchedulingQueue } from './scheduling-queue.js';

export interface ClusterCaches {
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly classes: Informer<StorageClass>;
}

/** What the loop works on. */
export interface KnownCluster {
  readonly table: NodeTable;
  readonly nominations: Nominations;
  readonly queue: SchedulingQueue;
  /** Keys of the pods that are counted on a node before the watch shows them there. */
  readonly assumed: Set<string>;
}

/** Follows the caches: keeps the table, the queue and what is in view up to date, and wakes pods that a change can help. */
export class ClusterFeed {
  readonly #known: KnownCluster;
  readonly #caches: ClusterCaches;

  constructor(known: KnownCluster, caches: ClusterCaches) {
    this.#known = known;
    this.#caches = caches;
  }

  follow(): void {
    const { nodes, pods } = this.#caches;
    nodes.addHandler({
      onAdd: (node) => this.#nodeAdded(node),
      onUpdate: (previous, node) => this.#nodeChanged(previous, node),
      onDelete: (node) => this.#known.table.removeNode(node.metadata.name),
    });
    pods.addHandler({
      onAdd: (pod) => this.#podSeen(pod, undefined),
      onUpdate: (previous, pod) => this.#podSeen(pod, previous),
      onDelete: (pod) => this.#podGone(pod),
    });
    this.#followVolumes(this.#caches);
  }

  #nodeAdded(node: Node): void {
    this.#known.table.setNode(node);
    this.#known.queue.notice('NodeAdded');
  }

  #nodeChanged(previous: Node, node: Node): void {
    this.#known.table.setNode(node);
    const seen = (n: Node): string => JSON.stringify([n.metadata.labels, n.spec.taints, n.spec.unschedulable]);
    if (seen(previous) !== seen(node)) this.#known.queue.notice('NodeLabelsOrTaintsChanged');
    if (hasGrown(previous, node)) this.#known.queue.notice('NodeResourcesGrew');
  }

  #podSeen(pod: Pod, previous: Pod | undefined): void {
    const info = toPodInfo(pod);
    if (isPodTerminal(pod)) {
      this.#podGone(pod);
    } else if (pod.spec.nodeName) {
      this.#podPlaced(info, pod.spec.nodeName, previous);
    } else if (isWaiting(pod)) {
      this.#followNomination(info, previous);
      this.#enqueue(info, previous);
    } else {
      this.#known.queue.remove(info.key);
      this.#known.nominations.delete(info.key);
    }
  }

  #podPlaced(info: PodInfo, node: string, previous: Pod | undefined): void {
    const { queue, nominations, assumed, table } = this.#known;
    queue.remove(info.key);
    nominations.delete(info.key);
    assumed.delete(info.key);
    const before = table.placed(info.key);
    table.addPod(info, node);
    if (!previous?.spec.nodeName) queue.notice('PodPlaced');
    else if (before && (asksForLess(before, info) || hasOtherLabels(before.pod, info.pod))) queue.notice('PodChanged');
  }

  /** What was nominated here and is not in the status yet stays. */
  #followNomination(info: PodInfo, previous: Pod | undefined): void {
    const node = info.pod.status?.nominatedNodeName;
    if (this.#known.assumed.has(info.key)) return;
    if (node) this.#known.nominations.set(info, node);
    else if (previous?.status?.nominatedNodeName) this.#known.nominations.delete(info.key);
  }

  #followVolumes({ claims, volumes, classes }: ClusterCaches): void {
    const claimChanged = (claim: PersistentVolumeClaim): void => {
      const key = objectKey(claim);
      this.#known.queue.notice('ClaimChanged', (info) => info.claims.some((use) => use.key === key));
    };
    const usesClaims = ({ claims: used }: PodInfo): boolean => used.length > 0;
    const volumeChanged = (): void => this.#known.queue.notice('VolumeChanged', usesClaims);
    const classChanged = (): void => this.#known.queue.notice('StorageClassChanged', usesClaims);
    claims.addHandler({ onAdd: claimChanged, onUpdate: (_, claim) => claimChanged(claim) });
    volumes.addHandler({ onAdd: volumeChanged, onUpdate: volumeChanged });
    classes.addHandler({ onAdd: classChanged, onUpdate: classChanged });
  }

  #enqueue(info: PodInfo, previous: Pod | undefined): void {
    if (this.#known.assumed.has(info.key)) return;
    if (
      !this.#known.queue.has(info.key) ||
      (previous && isWaiting(previous) && JSON.stringify(previous.spec) !== JSON.stringify(info.pod.spec))
    )
      this.#known.queue.add(info);
    else this.#known.queue.update(info);
  }

  #podGone(pod: Pod): void {
    const key = objectKey(pod);
    this.#known.queue.remove(key);
    this.#known.nominations.delete(key);
    this.#known.assumed.delete(key);
    const wasPlaced = this.#known.table.has(key);
    this.#known.table.removePod(key);
    if (wasPlaced) this.#known.queue.notice('PodGone');
  }
}

const isWaiting = (pod: Pod): boolean =>
  (pod.spec.schedulerName ?? DEFAULT_SCHEDULER) === DEFAULT_SCHEDULER &&
  !pod.metadata.deletionTimestamp &&
  (pod.spec.schedulingGates ?? []).length === 0;

function hasGrown(previous: Node, node: Node): boolean {
  const before = previous.status?.allocatable ?? {};
  return Object.entries(node.status?.allocatable ?? {}).some(
    ([name, quantity]) =>
      before[name] !== quantity &&
      amount(name, quantity) > (before[name] === undefined ? 0 : amount(name, before[name])),
  );
}

const asksForLess = (before: PodInfo, after: PodInfo): boolean =>
  after.milliCpu < before.milliCpu || after.memoryBytes < before.memoryBytes;

const hasOtherLabels = (a: Pod, b: Pod): boolean =>
  JSON.stringify(a.metadata.labels) !== JSON.stringify(b.metadata.labels);

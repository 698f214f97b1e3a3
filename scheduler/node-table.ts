import type { Node } from '../shared/api/generated/types.js';
import { amount } from '../shared/api/pod.js';
import { ANNOTATION_LINK_ADDRESS } from '../shared/api/well-known.js';
import { HostPorts } from './host-ports.js';
import { ImageLocality } from './image-locality.js';
import type { PodInfo } from './pod-info.js';

const firstCapacity = 64;

/**
 * All nodes and what their pods ask for, in columns: a slot number stands for a node, and each figure is a typed array, so
 * that a scan over thousands of nodes stays in the processor's cache. A freed slot is used again.
 */
export class NodeTable {
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = [];
  /** Number of slots ever used; slots without a node are `undefined` in `nodes`. */
  size = 0;
  nodes: (Node | undefined)[] = [];
  allocatableMilliCpu = new Float64Array(firstCapacity);
  allocatableMemory = new Float64Array(firstCapacity);
  allocatablePods = new Float64Array(firstCapacity);
  requestedMilliCpu = new Float64Array(firstCapacity);
  requestedMemory = new Float64Array(firstCapacity);
  scoredMilliCpu = new Float64Array(firstCapacity);
  scoredMemory = new Float64Array(firstCapacity);
  podCount = new Float64Array(firstCapacity);
  /** Grows when labels, taints or schedulability of the slot's node may have changed. */
  generation = new Uint32Array(firstCapacity);
  readonly #scalars: { allocatable: Map<string, number>; requested: Map<string, number> }[] = [];
  readonly #podsOfSlot: Map<string, PodInfo>[] = [];
  readonly #placed = new Map<string, { info: PodInfo; node: string }>();
  /** Pods on nodes that are not known (yet). */
  readonly #homeless = new Map<string, Map<string, PodInfo>>();
  readonly #spread = new Map<string, Map<number, number>>();
  readonly #ports = new HostPorts();
  readonly images = new ImageLocality();
  /** Claim -> how many placed pods use it. */
  readonly #claimUsers = new Map<string, number>();
  /** Priority -> how many placed pods have it. */
  readonly #priorities = new Map<number, number>();
  /** Placed pods with required anti-affinity. */
  readonly antiAffine = new Map<string, { info: PodInfo; slot: number }>();
  /** Placed pods that draw others near, or would rather not have them. */
  readonly leaning = new Map<string, { info: PodInfo; slot: number }>();

  get nodeCount(): number {
    return this.#slots.size;
  }

  slotOf(node: string): number | undefined {
    return this.#slots.get(node);
  }

  podsOf(slot: number): Iterable<PodInfo> {
    return this.#podsOfSlot[slot]?.values() ?? [];
  }

  has(podKey: string): boolean {
    return this.#placed.has(podKey);
  }

  /** What is counted for a placed pod. */
  placed(podKey: string): PodInfo | undefined {
    return this.#placed.get(podKey)?.info;
  }

  setNode(node: Node): void {
    const name = node.metadata.name;
    const known = this.#slots.get(name);
    const slot = known ?? this.#newSlot(name);
    const previous = this.nodes[slot];
    this.nodes[slot] = node;
    const allocatable = node.status?.allocatable ?? {};
    const amounts = new Map(Object.entries(allocatable).map(([key, quantity]) => [key, amount(key, quantity)]));
    this.allocatableMilliCpu[slot] = amounts.get('cpu') ?? 0;
    this.allocatableMemory[slot] = amounts.get('memory') ?? 0;
    this.allocatablePods[slot] = amounts.get('pods') ?? 0;
    this.#scalars[slot] = { allocatable: amounts, requested: this.#scalars[slot]?.requested ?? new Map() };
    if (!previous || differsForFilters(previous, node)) this.generation[slot] = (this.generation[slot] ?? 0) + 1;
    if (hasOtherImages(previous, node)) this.images.set(slot, node.status?.images ?? []);
    if (known === undefined) this.#adopt(name, slot);
  }

  #adopt(name: string, slot: number): void {
    const waiting = this.#homeless.get(name);
    this.#homeless.delete(name);
    for (const info of waiting?.values() ?? []) this.#count(info, slot, 1);
  }

  removeNode(name: string): void {
    const slot = this.#slots.get(name);
    if (slot === undefined) return;
    const pods = new Map(this.#podsOfSlot[slot]);
    for (const info of pods.values()) this.#count(info, slot, -1);
    if (pods.size > 0) this.#homeless.set(name, pods);
    this.images.remove(slot);
    this.#slots.delete(name);
    this.nodes[slot] = undefined;
    this.generation[slot] = (this.generation[slot] ?? 0) + 1;
    this.#free.push(slot);
  }

  /** Counts a pod on a node; one that is counted already is moved or renewed. */
  addPod(info: PodInfo, node: string): void {
    this.removePod(info.key);
    this.#placed.set(info.key, { info, node });
    this.#countUse(info, 1);
    const slot = this.#slots.get(node);
    if (slot !== undefined) {
      this.#count(info, slot, 1);
      return;
    }
    const waiting = this.#homeless.get(node) ?? new Map<string, PodInfo>();
    waiting.set(info.key, info);
    this.#homeless.set(node, waiting);
  }

  removePod(key: string): void {
    const placed = this.#placed.get(key);
    if (!placed) return;
    this.#placed.delete(key);
    this.#countUse(placed.info, -1);
    const slot = this.#slots.get(placed.node);
    if (slot !== undefined) {
      this.#count(placed.info, slot, -1);
      return;
    }
    const waiting = this.#homeless.get(placed.node);
    waiting?.delete(key);
    if (waiting?.size === 0) this.#homeless.delete(placed.node);
  }

  /** Names of the scalar resources that a slot lacks for a pod. */
  missingScalars(info: PodInfo, slot: number): string[] {
    if (info.scalars.size === 0) return [];
    const at = this.#scalars[slot];
    return [...info.scalars]
      .filter(
        ([name, amount]) => amount > 0 && amount > (at?.allocatable.get(name) ?? 0) - (at?.requested.get(name) ?? 0),
      )
      .map(([name]) => name);
  }

  allocatableScalar(name: string, slot: number): number {
    return this.#scalars[slot]?.allocatable.get(name) ?? 0;
  }

  hasPortConflict(info: PodInfo, slot: number): boolean {
    const node = this.nodes[slot];
    return node !== undefined && this.#ports.conflicts(info, node.metadata.name, linkAddress(node));
  }

  /** Whether a placed pod, on whatever node, uses the claim. */
  isClaimUsed(key: string): boolean {
    return this.#claimUsers.has(key);
  }

  /** Whether there is a placed pod that matters less. */
  hasPodsBelow(priority: number): boolean {
    for (const other of this.#priorities.keys()) if (other < priority) return true;
    return false;
  }

  /** How many pods of the same controller a slot has. */
  spreadCounts(key: string): ReadonlyMap<number, number> | undefined {
    return this.#spread.get(key);
  }

  #count(info: PodInfo, slot: number, sign: 1 | -1): void {
    const add = (column: Float64Array, amount: number): void => {
      column[slot] = (column[slot] ?? 0) + sign * amount;
    };
    add(this.requestedMilliCpu, info.milliCpu);
    add(this.requestedMemory, info.memoryBytes);
    add(this.scoredMilliCpu, info.scoredMilliCpu);
    add(this.scoredMemory, info.scoredMemoryBytes);
    add(this.podCount, 1);
    const requested = this.#scalars[slot]?.requested;
    for (const [name, amount] of info.scalars) requested?.set(name, (requested.get(name) ?? 0) + sign * amount);
    if (info.spreadKey !== undefined) this.#countSpread(info.spreadKey, slot, sign);
    const node = this.nodes[slot];
    if (info.hostPorts.length > 0 && node) this.#ports.change(info, node.metadata.name, linkAddress(node), sign);
    if (sign === 1) this.#podsOfSlot[slot]?.set(info.key, info);
    else this.#podsOfSlot[slot]?.delete(info.key);
    if (info.requiredAntiAffinity.length > 0) note(this.antiAffine, info, slot, sign);
    if (info.leanings.length > 0) note(this.leaning, info, slot, sign);
  }

  #countUse({ claims, priority }: PodInfo, sign: 1 | -1): void {
    addTo(this.#priorities, priority, sign);
    for (const { key } of claims) addTo(this.#claimUsers, key, sign);
  }

  #countSpread(key: string, slot: number, sign: number): void {
    const counts = this.#spread.get(key) ?? new Map<number, number>();
    const count = (counts.get(slot) ?? 0) + sign;
    if (count > 0) counts.set(slot, count);
    else counts.delete(slot);
    if (counts.size > 0) this.#spread.set(key, counts);
    else this.#spread.delete(key);
  }

  #newSlot(name: string): number {
    const slot = this.#free.pop() ?? this.size++;
    if (slot >= this.generation.length) this.#grow();
    this.#slots.set(name, slot);
    this.#podsOfSlot[slot] = new Map();
    this.#scalars[slot] = { allocatable: new Map(), requested: new Map() };
    return slot;
  }

  #grow(): void {
    const wider = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const column = new Float64Array(old.length * 2);
      column.set(old);
      return column;
    };
    this.allocatableMilliCpu = wider(this.allocatableMilliCpu);
    this.allocatableMemory = wider(this.allocatableMemory);
    this.allocatablePods = wider(this.allocatablePods);
    this.requestedMilliCpu = wider(this.requestedMilliCpu);
    this.requestedMemory = wider(this.requestedMemory);
    this.scoredMilliCpu = wider(this.scoredMilliCpu);
    this.scoredMemory = wider(this.scoredMemory);
    this.podCount = wider(this.podCount);
    const generation = new Uint32Array(this.generation.length * 2);
    generation.set(this.generation);
    this.generation = generation;
  }
}

function note(pods: Map<string, { info: PodInfo; slot: number }>, info: PodInfo, slot: number, sign: 1 | -1): void {
  if (sign === 1) pods.set(info.key, { info, slot });
  else pods.delete(info.key);
}

function addTo<K>(counts: Map<K, number>, key: K, sign: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + sign;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

const linkAddress = (node: Node): string => node.metadata.annotations?.[ANNOTATION_LINK_ADDRESS] ?? node.metadata.name;

/** Whether a filter that looks at the node alone could decide otherwise. */
function differsForFilters(a: Node, b: Node): boolean {
  const seen = (n: Node): string => JSON.stringify([n.metadata.labels, n.spec.taints, n.spec.unschedulable]);
  return seen(a) !== seen(b);
}

function hasOtherImages(a: Node | undefined, b: Node): boolean {
  const [before = [], after = []] = [a?.status?.images, b.status?.images];
  return before.length !== after.length || (after.length > 0 && JSON.stringify(before) !== JSON.stringify(after));
}

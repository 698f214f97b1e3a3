import type { PodInfo } from './pod-info.js';

/**
 * Pods that wait and have a node in view: room was made for them there, or a volume is. It is kept from pods that do not matter
 * more.
 */
export class Nominations {
  readonly #byNode = new Map<string, Map<string, PodInfo>>();
  readonly #nodes = new Map<string, string>();

  get isEmpty(): boolean {
    return this.#nodes.size === 0;
  }

  nodeOf(key: string): string | undefined {
    return this.#nodes.get(key);
  }

  on(node: string): Iterable<PodInfo> {
    return this.#byNode.get(node)?.values() ?? [];
  }

  set(info: PodInfo, node: string): void {
    this.delete(info.key);
    this.#nodes.set(info.key, node);
    const pods = this.#byNode.get(node) ?? new Map<string, PodInfo>();
    pods.set(info.key, info);
    this.#byNode.set(node, pods);
  }

  delete(key: string): void {
    const node = this.#nodes.get(key);
    if (node === undefined) return;
    this.#nodes.delete(key);
    const pods = this.#byNode.get(node);
    pods?.delete(key);
    if (pods?.size === 0) this.#byNode.delete(node);
  }
}

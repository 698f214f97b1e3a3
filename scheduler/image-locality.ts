import type { ContainerImage, PodSpec } from '../shared/api/generated/types.js';

const megabyte = 1024 * 1024;
/** Less than this is not worth a walk. */
const leastBytes = 23 * megabyte;
/** More than this for each container counts no more. */
const mostBytes = 1000 * megabyte;

/** Which slots have which images: pods are drawn to where theirs need not be fetched. */
export class ImageLocality {
  /** Image -> slot -> size. */
  readonly #slots = new Map<string, Map<number, number>>();
  readonly #namesOfSlot = new Map<number, readonly string[]>();

  set(slot: number, images: readonly ContainerImage[]): void {
    this.remove(slot);
    const names: string[] = [];
    for (const { names: aliases = [], sizeBytes = 0 } of images) {
      for (const name of aliases.map(normalized)) {
        const slots = this.#slots.get(name) ?? new Map<number, number>();
        this.#slots.set(name, slots.set(slot, sizeBytes));
        names.push(name);
      }
    }
    this.#namesOfSlot.set(slot, names);
  }

  remove(slot: number): void {
    for (const name of this.#namesOfSlot.get(slot) ?? []) {
      const slots = this.#slots.get(name);
      slots?.delete(slot);
      if (slots?.size === 0) this.#slots.delete(name);
    }
    this.#namesOfSlot.delete(slot);
  }

  /**
   * Up to 100 for a slot that has the pod's images; undefined when that decides nothing. An image that few nodes have counts
   * less, or its pods would all go there.
   */
  scores({ initContainers = [], containers }: PodSpec, nodeCount: number): ((slot: number) => number) | undefined {
    if (this.#slots.size === 0) return undefined;
    const all = [...initContainers, ...containers];
    const found = all.flatMap(({ image = '' }) => this.#slots.get(normalized(image)) ?? []);
    if (found.length === 0) return undefined;
    const most = mostBytes * all.length;
    return (slot) => {
      const bytes = found.reduce((sum, slots) => sum + (slots.get(slot) ?? 0) * (slots.size / nodeCount), 0);
      const counted = Math.min(Math.max(Math.trunc(bytes), leastBytes), most);
      return Math.trunc((100 * (counted - leastBytes)) / (most - leastBytes));
    };
  }
}

/** With the tag that an image without one means. */
const normalized = (name: string): string => (name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name);

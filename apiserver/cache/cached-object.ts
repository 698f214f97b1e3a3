import type { KubernetesObject } from '../../shared/api/object.js';
import type { StoredValue } from '../storage/storage.js';

/**
 * Objects that were just encoded, by their bytes: the cache takes them from here instead of parsing what this very
 * process has written. The entry dies with the Buffer.
 */
export class EncodedObjects {
  readonly #objects = new WeakMap<Buffer, KubernetesObject>();

  note(bytes: Buffer, object: KubernetesObject): Buffer {
    this.#objects.set(bytes, object);
    return bytes;
  }

  find(bytes: Buffer): KubernetesObject | undefined {
    return this.#objects.get(bytes);
  }
}

/** One stored object: the bytes that are served, and the parsed form when somebody needed it. Never to be mutated. */
export class CachedObject {
  readonly key: string;
  readonly bytes: Buffer;
  readonly revision: number;
  readonly createRevision: number;
  #object: KubernetesObject | undefined;
  #hasTypeFirst: boolean | undefined;

  constructor(stored: StoredValue, object?: KubernetesObject) {
    this.key = stored.key;
    this.bytes = stored.value;
    this.revision = stored.revision;
    this.createRevision = stored.createRevision;
    this.#object = object;
  }

  get isParsed(): boolean {
    return this.#object !== undefined;
  }

  /** The parsed object, shared by all readers. */
  get object(): KubernetesObject {
    this.#object ??= JSON.parse(this.bytes.toString('utf8')) as KubernetesObject;
    return this.#object;
  }

  /**
   * Whether the bytes begin with `prefix`, the type of this collection. Looked at once: a list of thousands asks this of each,
   * and each look would be a miss in the processor's cache.
   */
  startsWithType(prefix: Buffer): boolean {
    const { bytes } = this;
    this.#hasTypeFirst ??= bytes.length > prefix.length && prefix.compare(bytes, 0, prefix.length) === 0;
    return this.#hasTypeFirst;
  }

  get namespace(): string | undefined {
    return this.object.metadata.namespace;
  }

  get name(): string {
    return this.object.metadata.name ?? '';
  }
}

import type { KubernetesObject } from '../../shared/api/object.js';
import { namesOfKey } from '../registry/storage-keys.js';
import type { StoredValue } from '../storage/storage.js';

/** How the fields of a kind that selectors may name are read. */
export type SelectableFields = Readonly<Record<string, (object: KubernetesObject) => string>>;

/** What selectors look at: small, so that no object is parsed, or stays parsed, because somebody selects. */
export interface Selected {
  /** How the fields were read: those of a custom kind change with its definition. */
  readonly by: SelectableFields;
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly fields: Readonly<Record<string, string>>;
}

/** Reads what selectors look at. */
export function lookInto(object: KubernetesObject, by: SelectableFields): Selected {
  const fields: Record<string, string> = {};
  for (const field in by) fields[field] = by[field]?.(object) ?? '';
  const { namespace, labels } = object.metadata;
  return { by, namespace, labels, fields };
}

/**
 * Objects that were just encoded, by their bytes: the cache takes them from here instead of parsing what this very
 * process has written. The entry dies with the Buffer.
 */
export class EncodedObjects {
  readonly #objects = new WeakMap<Buffer, KubernetesObject>();
  readonly #selected = new WeakMap<Buffer, Selected>();

  note(bytes: Buffer, object: KubernetesObject): Buffer {
    this.#objects.set(bytes, object);
    return bytes;
  }

  /** Of an object that is not kept parsed: what selectors will look at. */
  noteSelected(bytes: Buffer, selected: Selected): Buffer {
    this.#selected.set(bytes, selected);
    return bytes;
  }

  find(bytes: Buffer): KubernetesObject | undefined {
    return this.#objects.get(bytes);
  }

  /** What was noted of an object that is not kept; given once. */
  takeSelected(bytes: Buffer): Selected | undefined {
    const selected = this.#selected.get(bytes);
    if (selected) this.#selected.delete(bytes);
    return selected;
  }
}

/** One stored object: the bytes that are served, and the parsed form when somebody needed it. Never to be mutated. */
export class CachedObject {
  readonly key: string;
  readonly bytes: Buffer;
  readonly revision: number;
  readonly createRevision: number;
  #object: KubernetesObject | undefined;
  #selected: Selected | undefined;
  #hasTypeFirst: boolean | undefined;

  constructor(stored: StoredValue, object?: KubernetesObject, selected?: Selected) {
    this.key = stored.key;
    this.bytes = stored.value;
    this.revision = stored.revision;
    this.createRevision = stored.createRevision;
    this.#object = object;
    this.#selected = selected;
  }

  get isParsed(): boolean {
    return this.#object !== undefined;
  }

  /** Whether {@link selected} is there without parsing. */
  isLookedInto(by: SelectableFields): boolean {
    return this.#object !== undefined || this.#selected?.by === by;
  }

  /** What selectors look at. An object that is parsed for it does not stay so. */
  selected(by: SelectableFields): Selected {
    if (this.#selected?.by !== by) this.#selected = lookInto(this.#object ?? this.#parse(), by);
    return this.#selected;
  }

  /** The parsed object, shared by all readers. */
  get object(): KubernetesObject {
    return (this.#object ??= this.#parse());
  }

  #parse(): KubernetesObject {
    return JSON.parse(this.bytes.toString('utf8')) as KubernetesObject;
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

  /** The same state for a writer, who makes a former one of it: what is parsed for him goes with him. */
  aside(): CachedObject {
    return new CachedObject(
      { key: this.key, value: this.bytes, revision: this.revision, createRevision: this.createRevision },
      this.#object,
      this.#selected,
    );
  }

  /** Undefined in kinds without namespaces. */
  get namespace(): string | undefined {
    return namesOfKey(this.key).namespace;
  }

  get name(): string {
    return namesOfKey(this.key).name;
  }
}

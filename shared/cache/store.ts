import { objectKey, type KubernetesObject } from '../api/object.js';
import type { IndexFunction, Lister } from './informer.js';

interface Index<T> {
  readonly compute: IndexFunction<T>;
  readonly keys: Map<string, Set<string>>;
}

/** Objects by key, with indexes kept at every change. */
export class Store<T extends KubernetesObject> implements Lister<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();
  readonly #namespaces: Index<T> = {
    compute: (object) => [object.metadata.namespace ?? ''],
    keys: new Map(),
  };

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    for (const [name, compute] of Object.entries(indexes)) this.addIndex(name, compute);
  }

  /** Adds an index over what is there. A name that exists already keeps its first function. */
  addIndex(name: string, compute: IndexFunction<T>): void {
    if (this.#indexes.has(name)) return;
    const index: Index<T> = { compute, keys: new Map() };
    for (const [key, object] of this.#objects) insert(index, key, object);
    this.#indexes.set(name, index);
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  listNamespace(namespace: string): readonly T[] {
    return this.#resolve(this.#namespaces.keys.get(namespace));
  }

  byIndex(index: string, value: string): readonly T[] {
    const found = this.#indexes.get(index);
    if (!found) throw new Error(`index ${index} does not exist`);
    return this.#resolve(found.keys.get(value));
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  /** Stores the object and returns the one it replaces. */
  set(object: T): T | undefined {
    const key = objectKey(object);
    const previous = this.#objects.get(key);
    for (const index of this.#allIndexes()) {
      if (previous) remove(index, key, previous);
      insert(index, key, object);
    }
    this.#objects.set(key, object);
    return previous;
  }

  /** Forgets the object of that key and returns it. */
  delete(key: string): T | undefined {
    const previous = this.#objects.get(key);
    if (!previous) return undefined;
    for (const index of this.#allIndexes()) remove(index, key, previous);
    this.#objects.delete(key);
    return previous;
  }

  #allIndexes(): Index<T>[] {
    return [this.#namespaces, ...this.#indexes.values()];
  }

  #resolve(keys: ReadonlySet<string> | undefined): readonly T[] {
    const found: T[] = [];
    for (const key of keys ?? []) {
      const object = this.#objects.get(key);
      if (object) found.push(object);
    }
    return found;
  }
}

function insert<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.compute(object)) {
    const keys = index.keys.get(value);
    if (keys) keys.add(key);
    else index.keys.set(value, new Set([key]));
  }
}

function remove<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.compute(object)) {
    const keys = index.keys.get(value);
    keys?.delete(key);
    if (keys?.size === 0) index.keys.delete(value);
  }
}

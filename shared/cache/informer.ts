import type { KubernetesObject } from '../api/object.js';

/** Computes the index values of an object, e.g. its node name. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** Read side of a cache: frozen objects, never to be mutated. */
export interface Lister<T> {
  /** By `namespace/name` or `name`. */
  get(key: string): T | undefined;
  list(): readonly T[];
  listNamespace(namespace: string): readonly T[];
  /** Objects whose index function gave `value`. Throws for an unknown index. */
  byIndex(index: string, value: string): readonly T[];
}

/** Handlers run synchronously in event order; they only note what changed (enqueue keys). */
export interface EventHandler<T> {
  onAdd?(object: T, isInInitialList: boolean): void;
  onUpdate?(previous: T, object: T): void;
  /** The last known state. */
  onDelete?(object: T): void;
}

/** Keeps a local copy of a collection by one list-and-watch loop. */
export interface Informer<T extends KubernetesObject> {
  readonly lister: Lister<T>;
  /** True once the first list has been delivered to the handlers. */
  readonly hasSynced: boolean;
  /** resourceVersion of the last event or bookmark seen. */
  readonly resourceVersion: string;
  /** Before or after start; a late handler first gets onAdd for all that is there. */
  addHandler(handler: EventHandler<T>): void;
  /** Runs until aborted. Resolves on abort. */
  run(signal: AbortSignal): Promise<void>;
  waitForSync(signal: AbortSignal): Promise<void>;
}

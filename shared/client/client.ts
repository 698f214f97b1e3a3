import type { KubernetesObject, ObjectList, Unsaved } from '../api/object.js';
import type { Resource } from '../api/resource.js';

/** Options that every call takes. */
export interface CallOptions {
  /** Ends the call with an AbortError. */
  signal?: AbortSignal;
}
export interface WriteOptions extends CallOptions {
  dryRun?: boolean;
  fieldManager?: string;
  fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
}
/** What of each object a list or watch brings. */
export interface FormOptions {
  /** Nothing but its metadata, as PartialObjectMetadata; a server that does not know that form sends all. */
  isMetadataOnly?: boolean;
}
export interface ListOptions extends CallOptions, FormOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}
export interface WatchOptions extends CallOptions, FormOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  resourceVersion?: string;
  allowWatchBookmarks?: boolean;
  sendInitialEvents?: boolean;
  timeoutSeconds?: number;
  /** The stream ends with an error after so long without a byte. Default 90,000; bookmarks come every 60 s. */
  silenceTimeoutMs?: number;
}
export interface DeleteOptions extends CallOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: boolean;
}
export type PatchType = 'merge' | 'strategic' | 'json' | 'apply';
export interface PatchOptions extends WriteOptions {
  subresource?: string;
  /** With type 'apply'. */
  force?: boolean;
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | {
      readonly type: 'BOOKMARK';
      readonly object: { metadata: { resourceVersion: string; annotations?: Record<string, string> } };
    };

/** An exchange outside the typed verbs (logs, /version, kubelet streams ...). */
export interface RawRequest extends CallOptions {
  method?: string;
  /** Path and query. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Whether an answer with Retry-After is waited out, as by default; false where the caller has a pace of its own. */
  isRetried?: boolean;
}
export interface RawResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/**
 * A typed client of the API. Every failure that the server tells is a StatusError; a broken connection is the Error of the
 * network (code ECONNREFUSED, ECONNRESET ...). 429 with Retry-After is retried a bounded number of times.
 */
export interface Client {
  get<T>(
    resource: Resource<T>,
    name: string,
    namespace?: string,
    options?: CallOptions & { subresource?: string },
  ): Promise<T>;
  /** The server leaves the type out of the items of a list; here each has it. */
  list<T>(resource: Resource<T>, options?: ListOptions): Promise<ObjectList<T>>;
  /** POST. metadata.namespace decides the namespace. */
  create<T>(
    resource: Resource<T>,
    object: Unsaved<T>,
    options?: WriteOptions & { subresource?: string; name?: string },
  ): Promise<T>;
  /** PUT of the whole object; its resourceVersion is the precondition. */
  update<T extends KubernetesObject>(
    resource: Resource<T>,
    object: T,
    options?: WriteOptions & { subresource?: string },
  ): Promise<T>;
  /** PUT of the status subresource. */
  updateStatus<T extends KubernetesObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T>(
    resource: Resource<T>,
    name: string,
    namespace: string | undefined,
    type: PatchType,
    patch: unknown,
    options?: PatchOptions,
  ): Promise<T>;
  delete(resource: Resource, name: string, namespace?: string, options?: DeleteOptions): Promise<void>;
  deleteCollection(resource: Resource, options?: ListOptions & DeleteOptions): Promise<void>;
  /**
   * Streams events until the server ends the watch (the iterator ends), the signal aborts (AbortError) or the stream fails.
   * An ERROR event becomes a thrown StatusError (isExpired for 410). The consumer's pace is the stream's: nothing is buffered beyond the socket.
   */
  watch<T>(resource: Resource<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  raw(request: RawRequest): Promise<RawResponse>;
  /** Server URL, e.g. `https://127.0.0.1:6443`. */
  readonly server: string;
  close(): void;
}

import type { JsonObject } from '../../shared/api/json.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import type { CachedObject } from '../cache/cached-object.js';
import type { StructType } from '../schema/schema-type.js';
import type { Structured } from '../schema/structure.js';
import type { FieldError } from '../validation/field-error.js';

/** One column of `kubectl get`. */
export interface Column<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description: string;
  /** 0 is always shown, 1 with -o wide. */
  readonly priority: number;
  /** Cell text as kubectl prints it; `nowMs` for ages. */
  /** Null where the object has nothing to show. */
  readonly cell: (object: T, nowMs: number) => string | number | boolean | null;
}

/**
 * The rules of a kind beyond its structure. All functions are pure but for changing the object that they are given first.
 * Kinds made by `defineKind` have validate, validateUpdate and validateStatusUpdate always, each complete (metadata
 * included): a write calls exactly one of them.
 */
export interface Strategy<T> {
  /** Fills defaults in place, as the original's SetDefaults functions do. Runs on every decoded object, also after patches. */
  readonly defaults?: (object: T) => void;
  /** Clears or sets what a client may not choose on create (status, ...). Generation 1 is set by the registry where `hasGeneration`. */
  readonly prepareForCreate?: (object: T) => void;
  readonly validate?: (object: T) => FieldError[];
  /**
   * Restores what an update of the main resource may not change (status, ...). `now` is the time of the write as it
   * stands in objects.
   */
  readonly prepareForUpdate?: (object: T, old: T, now?: string) => void;
  readonly validateUpdate?: (object: T, old: T) => FieldError[];
  /**
   * In the place of validate and validateUpdate (`old` given) where a check may take long: others are served between
   * any two of its steps.
   */
  readonly validateInSteps?: (object: T, old: T | undefined) => Generator<void, FieldError[]>;
  /**
   * For /status: restores everything but the status (metadata is handled by the registry). Default: keep old spec.
   * `now` is the time of the write as it stands in objects.
   */
  readonly prepareForStatusUpdate?: (object: T, old: T, now?: string) => void;
  readonly validateStatusUpdate?: (object: T, old: T) => FieldError[];
  /** For subresources that change one part of the spec (pods/resize): in the place of validateUpdate. */
  readonly validatePartUpdate?: Readonly<Partial<Record<Subresource, (object: T, old: T) => FieldError[]>>>;
  /** Texts for Warning headers. */
  readonly warnings?: (object: T, old?: T) => string[];
  /** How the name is checked: DNS subdomain (default), DNS label, path segment, ... */
  readonly validateName?: (name: string) => string[];
}

/** How /scale maps onto a kind. */
export interface ScaleMapping<T> {
  /** Where a kind may come without a number of replicas: the path of the field that is missing. */
  readonly lacksSpecReplicas?: (object: T) => string | undefined;
  readonly getSpecReplicas: (object: T) => number;
  readonly setSpecReplicas: (object: T, replicas: number) => void;
  readonly getStatusReplicas: (object: T) => number;
  /** Serialised label selector. */
  readonly getSelector: (object: T) => string;
}

/** What takes the place of a generated schema where a kind is defined at run time. */
export interface CustomStructure {
  /** Along which server-side apply merges and owns. */
  readonly structure: StructType;
  /** Takes out of a decoded object what the schema does not name. */
  readonly read: (object: JsonObject) => Structured;
  /** Definition of the kind in OpenAPI, e.g. `com.example.stable.v1.CronTab`. */
  readonly definitionName: string;
  /** The schema as it is published. */
  readonly openApi: { readonly v2: JsonObject; readonly v3: JsonObject };
  /** Turns stored bytes of any earlier form into the form in which the collection is held. */
  readonly decodeStored: (bytes: Buffer) => Buffer;
  /** Set where somebody outside converts between the versions, each of which then stands for itself. */
  readonly conversion?: FormConversion;
  /** The definition of the kind is being deleted: nothing new may come. */
  readonly isTerminating: () => boolean;
}

/** All that the server needs to serve one kind: routes, keys, discovery, OpenAPI, tables derive from it. */
export interface ResourceDefinition<T extends KubernetesObject = KubernetesObject> {
  readonly resource: Resource<T>;
  readonly singularName: string;
  readonly shortNames: readonly string[];
  /** e.g. `all`. */
  readonly categories: readonly string[];
  readonly subresources: readonly Subresource[];
  readonly strategy: Strategy<T>;
  /** Name and Age are among them. */
  readonly columns: readonly Column<T>[];
  /** The order of rows in a Table of many; else that of the list. */
  readonly compareRows?: (a: T, b: T) => number;
  /** Field selectors beyond metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, (object: T) => string>>;
  /** Whether metadata.generation is kept: grows when anything but metadata and status changes. */
  readonly hasGeneration: boolean;
  /** A create may come with a status: who makes the object is also who knows its state (nodes). */
  readonly keepsStatusOnCreate?: boolean;
  /** PUT of an absent object creates it. */
  readonly allowCreateOnUpdate: boolean;
  /** PUT without resourceVersion overwrites. */
  readonly allowUnconditionalUpdate: boolean;
  readonly scale?: ScaleMapping<T>;
  /** Set for custom resources. */
  readonly custom?: CustomStructure;
  /**
   * Set on a further version of a kind (autoscaling/v1 of v2, events.k8s.io of core events): requests and answers have its
   * form, everything between has the stored one. All other members of this definition take objects of the stored form.
   */
  readonly storedAs?: StoredForm;
  /** Text of the Warning header on every answer of a version that is on its way out. */
  readonly deprecation?: string;
  /** Default grace period for deletes in seconds; pods only. */
  readonly gracefulDelete?: (object: T, requestedSeconds: number | undefined) => number;
  /** A delete that says nothing of dependents leaves them alone (jobs); `warning` tells clients so. */
  readonly orphansByDefault?: { readonly warning?: string };
  /**
   * Kinds that are only marked by a delete and removed when something beyond metadata.finalizers is done (namespaces:
   * spec.finalizers). `onMarked` changes the object when its deletion begins (status.phase).
   */
  readonly finalization?: {
    readonly isPending: (object: T) => boolean;
    readonly onMarked: (object: T) => void;
  };
}

/** The objects of a kind, which are stored in several versions, in the version of one definition. */
export interface FormConversion {
  /** The version in which objects are stored from now on. */
  readonly stored: Resource;
  /** The form of an object that needs no conversion, or was converted already. */
  find(object: CachedObject): CachedObject | undefined;
  /** All in their order. Rejects with a StatusError 500. */
  fromStored(objects: readonly CachedObject[]): Promise<readonly CachedObject[]>;
  /** An object of any version, which is about to be written, in this one. Rejects with a StatusError 500. */
  toOwn(object: KubernetesObject): Promise<KubernetesObject>;
  /** An object of this version in the one that is stored. Rejects with a StatusError 500. */
  toStored(object: KubernetesObject): Promise<KubernetesObject>;
}

/** How a version is turned into the one that is stored, and back. Both get a copy of their own, which they may change. */
export interface StoredForm {
  readonly definition: ResourceDefinition;
  readonly fromStored: (stored: KubernetesObject) => KubernetesObject;
  /** Fills in what this version, and not the stored one, has as defaults. Must bear any object of the right structure. */
  readonly toStored: (object: KubernetesObject) => KubernetesObject;
}

export type Subresource =
  | 'status'
  | 'scale'
  | 'binding'
  | 'eviction'
  | 'ephemeralcontainers'
  | 'resize'
  | 'log'
  | 'exec'
  | 'attach'
  | 'portforward'
  | 'proxy'
  | 'token'
  | 'approval'
  | 'finalize';

/** The structure of a value of the API: what decoding, patches, server-side apply and protobuf walk along. */
export type SchemaType = ScalarType | AnyType | ListType | MapType | StructType;

export type ScalarFormat =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'float64'
  /** Accepts numbers too; a string on the wire out. */
  | 'quantity'
  | 'int-or-string'
  /** RFC 3339, seconds. */
  | 'time'
  /** RFC 3339, microseconds. */
  | 'micro-time'
  /** Base64. */
  | 'bytes';

export interface ScalarType {
  readonly kind: 'scalar';
  readonly format: ScalarFormat;
}

/** A value of any form, kept as it was sent (RawExtension, JSON). Owned as a whole in server-side apply. */
export interface AnyType {
  readonly kind: 'any';
  /** Owned key by key where it is an object, and so on below; the original deduces it of what no schema describes. */
  readonly isDeduced?: boolean;
  /** What its objects are, at the top or in a list, where the form is not quite free: a schema, or a boolean instead. */
  readonly objects?: StructType;
}

/** Anything that no schema describes, owned as deep as its objects go. */
export const deduced: AnyType = { kind: 'any', isDeduced: true };

export interface ListType {
  readonly kind: 'list';
  readonly items: SchemaType;
  readonly listType: 'atomic' | 'set' | 'map';
  /** Names of the fields that identify an item of a `map` list; sorted by name. */
  readonly keys: readonly string[];
  /** Values that absent keys take. */
  readonly keyDefaults: Readonly<Record<string, string>>;
}

export interface MapType {
  readonly kind: 'map';
  readonly values: SchemaType;
  readonly mapType: 'granular' | 'atomic';
}

const deducedMap: MapType = { kind: 'map', values: deduced, mapType: 'granular' };

/** The type along which a value is walked: what is deduced is a map where there is an object. */
export const typeFor = (value: unknown, type: SchemaType): SchemaType =>
  type.kind === 'any' && type.isDeduced && typeof value === 'object' && value !== null && !Array.isArray(value)
    ? deducedMap
    : type;

export interface StructType {
  readonly kind: 'struct';
  /** OpenAPI definition, e.g. `io.k8s.api.core.v1.Pod`. */
  readonly definition: string;
  /** Go type name as in decode errors, e.g. `PodSpec`. */
  readonly goName: string;
  readonly fields: ReadonlyMap<string, Field>;
  readonly mapType: 'granular' | 'atomic';
  /** Fields that are not in `fields` stay (custom resources); otherwise they are pruned. */
  readonly preserveUnknown: boolean;
}

export interface Field {
  readonly name: string;
  /** The name as managedFields spell it: `f:NAME`. */
  readonly pathElement: string;
  readonly type: SchemaType;
  readonly required: boolean;
  /** Go's omitempty on a list or map: an empty one is the same as none. */
  readonly omitEmpty: boolean;
  /** Go has a plain struct here, not a pointer: the original always has the field, if only as {}. */
  readonly isAlwaysPresent: boolean;
  readonly patchStrategies: readonly PatchStrategy[];
  readonly patchMergeKey: string | undefined;
}

export type PatchStrategy = 'merge' | 'replace' | 'retainKeys';

import type { KubernetesObject } from '../../shared/api/object.js';
import type { ResourceDefinition } from '../registry/definition.js';

/** Value of ?includeObject: what each row carries of its object. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  /** Default: Metadata, as in the original. */
  readonly includeObject?: IncludeObject;
  /** `meta.k8s.io/v1` or `meta.k8s.io/v1beta1`. */
  readonly apiVersion: string;
  /** The list's metadata; for one object its resourceVersion. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly nowMs: number;
  /** The form in which rows carry whole objects; default: as they are. */
  readonly show?: (object: KubernetesObject) => KubernetesObject;
  /** Leaves out the column definitions: in a watch only the first event needs them. */
  readonly withoutColumns?: boolean;
}

/** A meta.k8s.io Table: what `kubectl get` prints, one row an object. */
export function makeTable<T extends KubernetesObject>(
  definition: Pick<ResourceDefinition<T>, 'columns' | 'compareRows'>,
  objects: readonly T[],
  options: TableOptions,
): object {
  const { apiVersion, metadata, withoutColumns } = options;
  const { compareRows } = definition;
  const ordered = compareRows && objects.length > 1 ? objects.toSorted(compareRows) : objects;
  const columnDefinitions = definition.columns.map(({ name, type, format, description, priority }) => ({
    name,
    type,
    format: format ?? '',
    description,
    priority,
  }));
  return {
    kind: 'Table',
    apiVersion,
    metadata,
    columnDefinitions: withoutColumns ? null : columnDefinitions,
    rows: ordered.map((object) => makeRow(definition, object, options)),
  };
}

/** One row of a {@link makeTable}. */
export function makeRow<T extends KubernetesObject>(
  { columns }: Pick<ResourceDefinition<T>, 'columns'>,
  object: T,
  { includeObject = 'Metadata', apiVersion, nowMs, show = (shown) => shown }: TableOptions,
): object {
  const conditions = rowConditions(object);
  return {
    cells: columns.map(({ cell }) => cell(object, nowMs)),
    ...(conditions.length > 0 ? { conditions } : {}),
    object:
      includeObject === 'None'
        ? null
        : includeObject === 'Object'
          ? show(object)
          : partialObjectMetadata(object, apiVersion),
  };
}

/** Only the metadata of an object: for clients that need no more of it. */
export function partialObjectMetadata(object: KubernetesObject, apiVersion: string): object {
  return { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata };
}

/** A list of only the metadata of objects. */
export function partialObjectMetadataList(
  objects: readonly KubernetesObject[],
  apiVersion: string,
  metadata: Readonly<Record<string, unknown>>,
): object {
  const items = objects.map((object) => partialObjectMetadata(object, apiVersion));
  return { kind: 'PartialObjectMetadataList', apiVersion, metadata, items };
}

/** Pods that have ended are marked, for clients that leave them out. */
function rowConditions(object: KubernetesObject): object[] {
  if (object.kind !== 'Pod') return [];
  const { phase } = (object as { status?: { phase?: string } }).status ?? {};
  const message =
    phase === 'Succeeded' ? 'The pod has completed successfully.' : phase === 'Failed' ? 'The pod failed.' : undefined;
  return message === undefined ? [] : [{ type: 'Completed', status: 'True', reason: phase, message }];
}

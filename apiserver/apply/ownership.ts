import { getField, isObject, type JsonObject } from '../../shared/api/json.js';
import { difference, isEmptySet, leaf, recursiveDifference, union, type FieldSet } from './field-set.js';
import type { Owners } from './managed-fields.js';
import type { ComparisonIn } from './versions.js';

/** Fields that the server itself keeps: nobody owns them. */
export const serverFields: FieldSet = Object.freeze({
  'f:apiVersion': leaf,
  'f:kind': leaf,
  'f:metadata': Object.freeze({
    '.': leaf,
    'f:clusterName': leaf,
    'f:creationTimestamp': leaf,
    'f:generation': leaf,
    'f:managedFields': leaf,
    'f:name': leaf,
    'f:namespace': leaf,
    'f:resourceVersion': leaf,
    'f:selfLink': leaf,
    'f:uid': leaf,
  }),
});

export const metadataOf = (object: JsonObject | undefined): JsonObject => {
  const metadata = object ? getField(object, 'metadata') : undefined;
  return isObject(metadata) ? metadata : {};
};

/** The object without metadata.managedFields, which no manager owns and no comparison sees. */
export function withoutManagedFields(object: JsonObject): JsonObject {
  const metadata = getField(object, 'metadata');
  if (!isObject(metadata) || !Object.hasOwn(metadata, 'managedFields')) return object;
  const { managedFields: _managedFields, ...rest } = metadata;
  return { ...object, metadata: rest };
}

/** What a manager may own of a set: neither the server's fields nor those that this path of writing resets. */
export function ownable(fields: FieldSet, resetFields: FieldSet): FieldSet {
  const stripped = difference(fields, serverFields);
  return isEmptySet(resetFields) ? stripped : recursiveDifference(stripped, resetFields);
}

/** Set of top-level fields (`status`) with everything below them. */
export const topLevelSet = (names: readonly string[]): FieldSet =>
  Object.fromEntries(names.map((name) => [`f:${name}`, leaf]));

/**
 * Takes from every owner but `exceptKey` what a write has changed, added or removed, by the names of the owner's version.
 * Who owns by a version that is gone owns nothing.
 */
export function disown(owners: Owners, comparisonIn: ComparisonIn, exceptKey?: string): void {
  for (const [key, owner] of owners) {
    if (key === exceptKey) continue;
    const comparison = comparisonIn(owner.apiVersion);
    if (!comparison) {
      owners.delete(key);
      continue;
    }
    const changed = union(union(comparison.added, comparison.modified), comparison.removed);
    const fields = difference(owner.fields, changed);
    if (isEmptySet(fields)) owners.delete(key);
    else owners.set(key, { ...owner, fields });
  }
}

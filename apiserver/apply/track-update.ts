import { equalJson, type JsonObject } from '../../shared/api/json.js';
import type { StructType } from '../schema/schema-type.js';
import { isEmptySet, union } from './field-set.js';
import {
  capUpdaters,
  ownerKey,
  readManagedFields,
  writeManagedFields,
  type ManagedFieldsEntry,
  type Manager,
  type Owners,
  type Ownership,
} from './managed-fields.js';
import { disown, metadataOf, ownable, topLevelSet, withoutManagedFields } from './ownership.js';
import { compareIn, type ComparisonIn, type Versions } from './versions.js';

/**
 * metadata.managedFields after an ordinary write (create, update, patch): the manager owns what it changed, the others
 * lose it. The entry's time moves only when the manager took something.
 * @param live the object before the write; undefined on create
 * @param next the object that is about to be stored; its own managedFields are what the client sent
 * @param resetFields top-level fields that this path of writing never changes (`status`)
 * @param versions shows the object in the versions by which others own fields of it
 */
export function trackUpdate(
  live: JsonObject | undefined,
  next: JsonObject,
  type: StructType,
  manager: Manager,
  resetFields: readonly string[] = [],
  versions?: Versions,
): readonly ManagedFieldsEntry[] {
  const isSubresource = manager.subresource !== '';
  const owners = ownersOf(live, next, isSubresource);
  // An object that was reset, or never tracked, stays so until somebody applies it.
  if (live && owners.size === 0) return [];
  const before = withoutManagedFields(live ?? {});
  const { own, comparisonIn } = compareIn(before, withoutManagedFields(next), type, manager.apiVersion, versions);
  const { added, modified, removed } = own;
  if (isEmptySet(added) && isEmptySet(modified) && isEmptySet(removed)) return writeManagedFields(owners);
  const self: Ownership = { ...manager, operation: 'Update', fields: union(added, modified) };
  takeOver(owners, self, comparisonIn, resetFields);
  capUpdaters(owners);
  return writeManagedFields(owners);
}

/** Gives `self` the fields that it took, beside those that it keeps. */
function takeOver(owners: Owners, self: Ownership, comparisonIn: ComparisonIn, resetFields: readonly string[]): void {
  const key = ownerKey(self);
  disown(owners, comparisonIn);
  const taken = ownable(self.fields, topLevelSet(resetFields));
  if (isEmptySet(taken)) return;
  const kept = owners.get(key);
  owners.set(key, { ...self, fields: kept ? union(kept.fields, taken) : taken });
}

/**
 * The owners to start from: those that the client sent, so that it may edit them; those of the live object where it sent
 * none or nonsense, so that a client that does not know them does not lose them. `[{}]` resets them.
 */
function ownersOf(live: JsonObject | undefined, next: JsonObject, isSubresource: boolean): Owners {
  const liveEntries = metadataOf(live)['managedFields'];
  const given = metadataOf(next)['managedFields'];
  const fromLive = (): Owners => readManagedFields(liveEntries) ?? new Map();
  if (isSubresource || given === undefined || given === liveEntries) return fromLive();
  if (Array.isArray(given) && given.length === 1 && equalJson(given[0], {})) return new Map();
  const owners = readManagedFields(given);
  return owners && owners.size > 0 ? owners : fromLive();
}

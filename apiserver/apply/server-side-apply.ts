import { cloneJson, equalJson, isObject, type JsonObject } from '../../shared/api/json.js';
import { badRequest, excerpt } from '../../shared/errors/bad-request.js';
import { StatusError, type StatusCause } from '../../shared/errors/status-error.js';
import type { StructType } from '../schema/schema-type.js';
import { checkStructure, StructureError } from '../schema/structure.js';
import { compareObjects } from './compare.js';
import { intersection, isEmptySet, memberPaths, union, type FieldSet } from './field-set.js';
import {
  ownerKey,
  readManagedFields,
  writeManagedFields,
  type ManagedFieldsEntry,
  type Manager,
  type Owners,
  type Ownership,
} from './managed-fields.js';
import { mergeConfig, pruneUnowned } from './merge.js';
import { ownedFields, OwnershipError } from './owned-fields.js';
import { disown, metadataOf, ownable, serverFields, topLevelSet, withoutManagedFields } from './ownership.js';
import { trackUpdate } from './track-update.js';
import { compareIn, type ComparisonIn, type VersionForm, type Versions } from './versions.js';

export interface ApplyOptions extends Manager {
  /** Take fields from other managers instead of reporting conflicts. */
  readonly force: boolean;
  /** Top-level fields that this path of writing never changes (`status`). */
  readonly resetFields?: readonly string[];
  /** Shows the object in the versions by which others own fields of it. Without it names mean the same everywhere. */
  readonly versions?: Versions;
  /** The object is stored as it is: no type of Go's drops its nulls (custom resources). */
  readonly isStoredAsSent?: boolean;
}

export interface Applied {
  /** A new object that shares nothing; the live one itself when nothing changes, neither object nor ownership. */
  readonly object: JsonObject;
  /** Belongs into the stored object's metadata. */
  readonly managedFields: readonly ManagedFieldsEntry[];
  readonly isChanged: boolean;
}

/**
 * Server-side apply: lays the configuration over the live object, takes out what the manager applied before and dropped
 * now, and reports the fields that others own with another value. Neither argument is changed.
 * @param live undefined when the object does not exist yet
 * @throws StatusError 400 for a configuration that does not fit the type, 409 with a cause for each conflict
 */
export function serverSideApply(
  live: JsonObject | undefined,
  config: JsonObject,
  type: StructType,
  options: ApplyOptions,
): Applied {
  const resetFields = topLevelSet(options.resetFields ?? []);
  checkConfig(config, type, options.apiVersion);
  const set = ownable(ownedBy(config, type), resetFields);
  const owners = startingOwners(live, type, options.apiVersion);
  const self: Ownership = { ...options, operation: 'Apply', fields: set };
  const key = ownerKey(self);
  const last = owners.get(key);
  owners.set(key, self);

  const before = withoutManagedFields(live ?? {});
  const merged = mergeConfig(before, config, type);
  // Values are compared as they were sent: `1000m` over `1` takes the field, and what is stored stays the same.
  const next = last ? pruneDropped(merged, type, last, owners, options) : merged;
  const { comparisonIn } = compareIn(before, next, type, options.apiVersion, options.versions);
  if (!options.force) refuseConflicts(owners, key, comparisonIn);
  disown(owners, comparisonIn, key);

  const managedFields = writeManagedFields(owners);
  const result = options.isStoredAsSent ? next : checkStructure(next, type).object;
  const isSame = live !== undefined && equalJson(before, result) && hasSameOwners(live, managedFields, key);
  if (isSame) return { object: live, managedFields: currentEntries(live), isChanged: false };
  // A copy of its own: the live object may be frozen, and defaults are about to be filled in.
  return { object: cloneJson(result), managedFields, isChanged: true };
}

function checkConfig(config: JsonObject, type: StructType, apiVersion: string): void {
  if (config['apiVersion'] !== apiVersion) {
    const given = typeof config['apiVersion'] === 'string' ? config['apiVersion'] : '';
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${given}, expected: ${apiVersion}`,
    );
  }
  if (metadataOf(config)['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil');
  const { unknown } = guard(config, () => checkStructure(config, type));
  if (unknown.length === 0) return;
  const faults = unknown.map((path) => `.${path}: field not declared in schema`);
  throw cannotBeTyped(config, faults.length === 1 ? (faults[0] ?? '') : `errors:\n  ${faults.join('\n  ')}`);
}

const ownedBy = (config: JsonObject, type: StructType): FieldSet => guard(config, () => ownedFields(config, type));

function guard<T>(config: JsonObject, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof StructureError || error instanceof OwnershipError) throw cannotBeTyped(config, error.message);
    throw error;
  }
}

/** The original answers 500 here, against its own rules for input that is not good: clients see what is theirs to mend. */
function cannotBeTyped(config: JsonObject, reason: string): StatusError {
  const { namespace = '', name = '' } = metadataOf(config);
  const [group, version] = String(config['apiVersion']).includes('/')
    ? String(config['apiVersion']).split('/')
    : ['', String(config['apiVersion'])];
  const subject = `${String(namespace)}/${String(name)}; ${group}/${version}, Kind=${String(config['kind'])}`;
  return badRequest(`failed to create typed patch object (${excerpt(subject, 1024)}): ${excerpt(reason, 16_384)}`);
}

/** What an object held before anybody applied it is owned by an updater of its own, so that it is not pruned. */
function startingOwners(live: JsonObject | undefined, type: StructType, apiVersion: string): Owners {
  const owners = readManagedFields(metadataOf(live)['managedFields']) ?? new Map();
  if (!live || owners.size > 0) return owners;
  const { creationTimestamp } = metadataOf(live);
  const manager: Manager = {
    manager: 'before-first-apply',
    apiVersion,
    subresource: '',
    time: typeof creationTimestamp === 'string' ? creationTimestamp : '',
  };
  return readManagedFields(trackUpdate(undefined, withoutManagedFields(live), type, manager)) ?? new Map();
}

/** What all owners that name fields by one version have; all of them where names mean the same everywhere. */
function ownedIn(owners: Owners, apiVersion: string | undefined): FieldSet {
  // What the server keeps goes with no manager, whatever its entry says.
  let all = serverFields;
  for (const owner of owners.values()) {
    if (apiVersion === undefined || owner.apiVersion === apiVersion) all = union(all, owner.fields);
  }
  return all;
}

/**
 * Takes out what the applier applied last time, by the names of the version that it used then, and nobody owns any more
 * by the names of any version. What an owner of another version would lose comes back.
 */
function pruneDropped(
  merged: JsonObject,
  type: StructType,
  last: Ownership,
  owners: Owners,
  { apiVersion, versions }: ApplyOptions,
): JsonObject {
  if (!versions) return pruneUnowned(merged, type, last.fields, ownedIn(owners, undefined));
  const inVersion = (object: JsonObject, of: string): VersionForm | undefined =>
    object['apiVersion'] === of ? { object, type } : versions(object, of);
  const start = inVersion(merged, last.apiVersion);
  if (!start) return merged;
  let pruned = pruneUnowned(start.object, start.type, last.fields, ownedIn(owners, last.apiVersion));
  const others = new Set([...owners.values()].map((owner) => owner.apiVersion));
  others.delete(last.apiVersion);
  for (const other of others) {
    const whole = inVersion(merged, other);
    const less = whole && versions(pruned, other);
    if (!whole || !less) continue;
    const { removed } = compareObjects(whole.object, less.object, whole.type);
    const owned = ownedIn(owners, other);
    if (isEmptySet(intersection(removed, owned))) continue;
    const kept = pruneUnowned(whole.object, whole.type, removed, owned);
    pruned = versions(kept, last.apiVersion)?.object ?? pruned;
  }
  return inVersion(pruned, apiVersion)?.object ?? pruned;
}

function refuseConflicts(owners: Owners, selfKey: string, comparisonIn: ComparisonIn): void {
  const conflicts: { manager: string; path: string }[] = [];
  for (const [key, owner] of owners) {
    const comparison = key === selfKey ? undefined : comparisonIn(owner.apiVersion);
    if (!comparison) continue;
    const changed = union(comparison.added, comparison.modified);
    for (const path of memberPaths(intersection(owner.fields, changed))) {
      conflicts.push({ manager: describeOwner(owner), path });
    }
  }
  if (conflicts.length === 0) return;
  conflicts.sort((a, b) => (a.manager < b.manager ? -1 : a.manager > b.manager ? 1 : 0));
  const causes: StatusCause[] = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field: path,
  }));
  throw new StatusError(409, 'Conflict', conflictMessage(conflicts), { causes });
}

/** Without the time, which is no part of an owner's identity. */
function describeOwner({ manager, subresource, operation, apiVersion }: Ownership): string {
  const name = JSON.stringify(manager) + (subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`);
  return operation === 'Apply' ? name : `${name} using ${apiVersion}`;
}

function conflictMessage(conflicts: readonly { manager: string; path: string }[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first) {
    return `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.path}`;
  }
  const managers = [...new Set(conflicts.map(({ manager }) => manager))];
  const parts = managers.flatMap((manager) => [
    `conflicts with ${manager}:`,
    ...conflicts.filter((conflict) => conflict.manager === manager).map(({ path }) => `- ${path}`),
  ]);
  return `Apply failed with ${conflicts.length} conflicts: ${parts.join('\n')}`;
}

const currentEntries = (live: JsonObject): readonly ManagedFieldsEntry[] =>
  (metadataOf(live)['managedFields'] as readonly ManagedFieldsEntry[] | undefined) ?? [];

/** Whether only the time of the applier's own entry would change. */
function hasSameOwners(live: JsonObject, entries: readonly ManagedFieldsEntry[], selfKey: string): boolean {
  const current = currentEntries(live);
  if (current.length !== entries.length) return false;
  const withoutTime = (entry: unknown): unknown => (isObject(entry) ? { ...entry, time: undefined } : entry);
  const byKey = new Map(current.map((entry) => [keyOf(entry), entry]));
  return entries.every((entry) => {
    const old = byKey.get(keyOf(entry));
    return keyOf(entry) === selfKey ? equalJson(withoutTime(old), withoutTime(entry)) : equalJson(old, entry);
  });
}

const keyOf = (entry: ManagedFieldsEntry): string => ownerKey({ ...entry, subresource: entry.subresource ?? '' });

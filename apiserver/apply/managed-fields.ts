import { isObject, type JsonObject } from '../../shared/api/json.js';
import { emptySet, isEmptySet, union, type FieldSet } from './field-set.js';

export type Operation = 'Apply' | 'Update';

/** Who writes, and through what. */
export interface Manager {
  /** Value of ?fieldManager, or the first word of the User-Agent. */
  readonly manager: string;
  readonly apiVersion: string;
  /** '' for the object itself. */
  readonly subresource: string;
  /** RFC 3339 in seconds. */
  readonly time: string;
}

/** One entry of metadata.managedFields. */
export interface ManagedFieldsEntry {
  readonly manager: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly time?: string;
  readonly fieldsType: 'FieldsV1';
  readonly fieldsV1: FieldSet;
  readonly subresource?: string;
}

/** What one manager owns. */
export interface Ownership {
  readonly manager: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** All owners of an object by their identity. */
export type Owners = Map<string, Ownership>;

/** An applier is the same whatever version it applies; an updater is another one with each version. */
export const ownerKey = (owner: Pick<Ownership, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string =>
  JSON.stringify([
    owner.operation,
    owner.manager,
    owner.subresource,
    owner.operation === 'Apply' ? '' : owner.apiVersion,
  ]);

/** Updaters beyond this many are merged into one. */
const maxUpdaters = 10;
const ancientChanges = 'ancient-changes';
const maxSetDepth = 512;

/** Reads metadata.managedFields; undefined when an entry makes no sense. */
export function readManagedFields(entries: unknown): Owners | undefined {
  const owners: Owners = new Map();
  if (entries === undefined || entries === null) return owners;
  if (!Array.isArray(entries)) return undefined;
  for (const entry of entries as unknown[]) {
    const owner = isObject(entry) ? readEntry(entry) : undefined;
    if (!owner) return undefined;
    const key = ownerKey(owner);
    const known = owners.get(key);
    owners.set(key, known ? { ...owner, fields: union(known.fields, owner.fields) } : owner);
  }
  return owners;
}

function readEntry(entry: JsonObject): Ownership | undefined {
  const { manager = '', operation, apiVersion, subresource = '', time, fieldsType, fieldsV1 } = entry;
  if (operation !== 'Apply' && operation !== 'Update') return undefined;
  if (fieldsType !== 'FieldsV1' || typeof apiVersion !== 'string' || apiVersion === '') return undefined;
  if (typeof manager !== 'string' || typeof subresource !== 'string' || !isFieldSet(fieldsV1 ?? emptySet, 0)) {
    return undefined;
  }
  return {
    manager,
    operation,
    apiVersion,
    subresource,
    time: typeof time === 'string' ? time : undefined,
    fields: (fieldsV1 ?? emptySet) as FieldSet,
  };
}

function isFieldSet(value: unknown, depth: number): boolean {
  if (!isObject(value) || depth > maxSetDepth) return false;
  for (const element of Object.keys(value)) {
    const isElement = element === '.' || (element[1] === ':' && 'fkvi'.includes(element[0] ?? ''));
    if (!isElement || !isFieldSet(value[element], depth + 1)) return false;
  }
  return true;
}

/** Writes metadata.managedFields: appliers first, then by time. Owners of nothing are left out. */
export function writeManagedFields(owners: Owners): ManagedFieldsEntry[] {
  const sorted = [...owners.values()].filter(({ fields }) => !isEmptySet(fields));
  sorted.sort(
    (a, b) =>
      compare(a.operation, b.operation) ||
      compare(a.time ?? '', b.time ?? '') ||
      compare(a.manager, b.manager) ||
      compare(a.apiVersion, b.apiVersion) ||
      compare(a.subresource, b.subresource),
  );
  return sorted.map(({ manager, operation, apiVersion, time, fields, subresource }) => ({
    manager,
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...(subresource === '' ? {} : { subresource }),
  }));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Merges the oldest updaters of each version into one, so that an object that many clients touch does not grow. */
export function capUpdaters(owners: Owners): void {
  if (owners.size <= maxUpdaters) return;
  const updaters = [...owners].filter(([, { operation }]) => operation === 'Update');
  let excess = updaters.length - maxUpdaters;
  if (excess <= 0) return;
  updaters.sort(([a, left], [b, right]) => compare(left.time ?? '', right.time ?? '') || compare(a, b));
  const oldest = new Map<string, [key: string, owner: Ownership]>();
  for (const [key, owner] of updaters) {
    if (excess <= 0) break;
    const first = oldest.get(owner.apiVersion);
    if (!first) {
      oldest.set(owner.apiVersion, [key, owner]);
      continue;
    }
    const bucket: Ownership = { ...owner, manager: ancientChanges, subresource: '' };
    owners.delete(first[0]);
    owners.delete(key);
    const known = owners.get(ownerKey(bucket))?.fields ?? emptySet;
    const merged = { ...bucket, fields: union(known, union(first[1].fields, owner.fields)) };
    owners.set(ownerKey(bucket), merged);
    oldest.set(owner.apiVersion, [ownerKey(bucket), merged]);
    excess--;
  }
}

import type { AnyObject } from '../server-api.js';
import type { Applying } from './applying.js';

interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
  readonly apiVersion?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: FieldSet;
  readonly fieldsType?: string;
}
interface FieldSet {
  readonly [path: string]: FieldSet;
}

const clientSide = 'kubectl-client-side-apply';

/** The fields of both. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  const result = new Map(Object.entries(a));
  for (const [path, inner] of Object.entries(b)) result.set(path, union(result.get(path) ?? {}, inner));
  return Object.fromEntries(result);
}

/**
 * The managers after what the client-side apply owned has gone to `manager`, so that a later server-side apply may change and remove it;
 * undefined where there is nothing to move. As client-go's csaupgrade.
 */
export function upgradedManagers(entries: readonly ManagedFields[], manager: string): ManagedFields[] | undefined {
  const old = entries.filter(
    (entry) => entry.manager === clientSide && entry.operation === 'Update' && !entry.subresource,
  );
  const [first] = old;
  if (!first) return undefined;
  const isOwn = (entry: ManagedFields): boolean =>
    entry.manager === manager && entry.operation === 'Apply' && !entry.subresource;
  const moved = old.reduce<FieldSet>((fields, entry) => union(fields, entry.fieldsV1 ?? {}), {});
  const rest = entries.filter((entry) => !old.includes(entry));
  if (!rest.some(isOwn)) return [...rest, { ...first, manager, operation: 'Apply', fieldsV1: moved }];
  return rest.map((entry) => (isOwn(entry) ? { ...entry, fieldsV1: union(entry.fieldsV1 ?? {}, moved) } : entry));
}

/** Moves the fields on the server; resolves with whether there were any. */
export async function upgradeManagers(applying: Applying, applied: AnyObject, path: string): Promise<boolean> {
  const manager = applying.query['fieldManager'] ?? 'kubectl';
  const entries = (applied.metadata['managedFields'] ?? []) as ManagedFields[];
  const value = upgradedManagers(entries, manager);
  if (!value) return false;
  await applying.api.json({
    method: 'PATCH',
    path,
    contentType: 'application/json-patch+json',
    body: [
      { op: 'replace', path: '/metadata/managedFields', value },
      { op: 'replace', path: '/metadata/resourceVersion', value: applied.metadata.resourceVersion },
    ],
  });
  return true;
}

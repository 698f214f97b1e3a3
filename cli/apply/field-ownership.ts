/** One entry of `metadata.managedFields`. */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: FieldSet;
  subresource?: string;
}

/** A set of fields in the form FieldsV1: every member is a path element, `.` the element itself. */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** Managers that set the field at `path` by updates, as every client-side apply does. */
export function updatersOf(entries: readonly ManagedFieldsEntry[], path: readonly string[]): string[] {
  const owners = entries.filter((entry) => isUpdate(entry) && holds(entry.fieldsV1 ?? {}, path));
  return [...new Set(owners.map(({ manager }) => manager ?? ''))];
}

/**
 * The entries after `manager` took over, as its own applies, all that the `updaters` set by updates: fields that a manifest no
 * longer names are then removed by the next apply. `entries` itself where there is nothing to take over.
 */
export function takenOver(
  entries: readonly ManagedFieldsEntry[],
  updaters: readonly string[],
  manager: string,
): readonly ManagedFieldsEntry[] {
  return updaters.reduce((left, updater) => takenOverFrom(left, updater, manager), entries);
}

function takenOverFrom(
  entries: readonly ManagedFieldsEntry[],
  updater: string,
  manager: string,
): readonly ManagedFieldsEntry[] {
  const isTheirs = (entry: ManagedFieldsEntry): boolean =>
    isUpdate(entry) && entry.manager === updater && !entry.subresource;
  if (!entries.some(isTheirs)) return entries;
  const own = entries.findIndex(
    (entry) => entry.manager === manager && entry.operation === 'Apply' && !entry.subresource,
  );
  // The server keeps the newest entry first: without an apply of our own, that one becomes it.
  const at = own < 0 ? entries.findIndex(isTheirs) : own;
  const target = entries[at];
  if (!target) return entries;
  // Fields of another version may have other names: those entries are dropped.
  const theirs = entries.find((entry) => isTheirs(entry) && entry.apiVersion === target.apiVersion);
  const changed: ManagedFieldsEntry = {
    ...target,
    manager,
    operation: 'Apply',
    fieldsV1: union(target.fieldsV1 ?? {}, theirs?.fieldsV1 ?? {}),
  };
  return entries.flatMap((entry, index) => (index === at ? [changed] : isTheirs(entry) ? [] : [entry]));
}

const isUpdate = ({ operation }: ManagedFieldsEntry): boolean => operation === 'Update';

function holds(fields: FieldSet, path: readonly string[]): boolean {
  let at: FieldSet | undefined = fields;
  for (const element of path) at = at && Object.hasOwn(at, element) ? at[element] : undefined;
  return at !== undefined;
}

function union(one: FieldSet, other: FieldSet): FieldSet {
  const elements = new Set([...Object.keys(one), ...Object.keys(other)]);
  const member = (fields: FieldSet, element: string): FieldSet =>
    Object.hasOwn(fields, element) ? (fields[element] ?? {}) : {};
  return Object.fromEntries(
    [...elements].map((element) => [element, union(member(one, element), member(other, element))]),
  );
}

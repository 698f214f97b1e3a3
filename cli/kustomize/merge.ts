import { isObject } from '../../shared/api/json.js';
import type { TypeSchema } from '../type-tables.js';

type Json = Record<string, unknown>;

/**
 * A strategic merge patch as kustomize applies it: maps merge, null removes, lists whose items have keys merge by them, the
 * patch's items first, other lists are replaced; `$patch: delete` and `$patch: replace` as in Kubernetes. Undefined when nothing
 * is left.
 *
 * Not `shared/patch` on purpose: kyaml tells items apart by all keys of a list (the API by one merge key), puts the items of the
 * patch first (the API weaves them in), and knows fewer directives. Builds must equal kustomize's.
 */
export function mergePatch(target: Json, patch: Json, type: TypeSchema | undefined): Json | undefined {
  const { $patch: directive, ...fields } = patch;
  if (directive === 'delete') return undefined;
  if (directive === 'replace') return fields;
  const merged: Json = { ...target };
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith('$setElementOrder/')) continue;
    const present = merged[name];
    if (value === null) delete merged[name];
    else if (isObject(value)) {
      const inner = mergePatch(isObject(present) ? present : {}, value, type?.field(name));
      if (inner === undefined) delete merged[name];
      else merged[name] = inner;
    } else if (Array.isArray(value))
      merged[name] = mergeList(Array.isArray(present) ? present : [], value, type?.field(name));
    else merged[name] = value;
  }
  return merged;
}

function mergeList(present: readonly unknown[], patch: readonly unknown[], type: TypeSchema | undefined): unknown[] {
  const items = patch.filter((item) => !isReplacement(item));
  const keys = type?.isMergedList ? type.listKeys : undefined;
  if (patch.some(isReplacement) || !keys || !items.every(isObject)) return items;
  const rest: unknown[] = [...present];
  const first: Json[] = [];
  for (const item of items) {
    const at = rest.findIndex((one) => isObject(one) && isSame(one, item, keys));
    const found = at < 0 ? {} : rest[at];
    const merged = mergePatch(isObject(found) ? found : {}, item, type);
    // Items that have several keys stay where they are, as in the original; others come to where the patch has them.
    if (at >= 0) rest.splice(at, 1, ...(merged && keys.length > 1 ? [merged] : []));
    if (merged && (at < 0 || keys.length === 1)) first.push(merged);
  }
  return [...first, ...rest];
}

/** Says that the whole list is replaced. */
const isReplacement = (item: unknown): boolean =>
  isObject(item) && item['$patch'] === 'replace' && Object.keys(item).length === 1;

/** Keys that the patch leaves out say nothing; of a protocol TCP is the default. */
const isSame = (present: Json, item: Json, keys: readonly string[]): boolean =>
  keys.some((key) => item[key] !== undefined) &&
  keys.every(
    (key) => item[key] === undefined || (present[key] ?? (key === 'protocol' ? 'TCP' : undefined)) === item[key],
  );

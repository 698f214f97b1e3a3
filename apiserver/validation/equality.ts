/**
 * Semantic equality of two pieces of an object, as the original's apiequality.Semantic.DeepEqual on its Go structures:
 * an absent field equals an empty list, an empty map and the zero of its type, since those do not survive its encoding.
 */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isAbsent(a)) return isZero(b);
  if (isAbsent(b)) return isZero(a);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (!isRecord(a) || !isRecord(b)) return false;
  for (const key of Object.keys(a)) if (!equal(a[key], b[key])) return false;
  for (const key of Object.keys(b)) if (!(key in a) && !isZero(b[key])) return false;
  return true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

function isZero(value: unknown): boolean {
  if (isAbsent(value) || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.values(value).every(isAbsent);
}

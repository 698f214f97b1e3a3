/** The fields of a configuration file, read one by one; what is not of its type throws an Error that says where. */
export type Fields = Readonly<Record<string, unknown>>;

export function record(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${path} is not an object`);
  return value as Fields;
}

/** An object that may be absent, which is as an empty one. */
export const optionalRecord = (from: Fields, field: string, path: string): Fields =>
  record(from[field] ?? {}, fieldPath(path, field));

export function list(from: Fields, field: string, path: string): readonly unknown[] {
  const value = from[field] ?? [];
  if (!Array.isArray(value)) throw new Error(`${fieldPath(path, field)}: must be a list`);
  return value;
}

/** A list of objects, each with its path. */
export const records = (from: Fields, field: string, path: string): { fields: Fields; path: string }[] =>
  list(from, field, path).map((value, i) => {
    const at = `${fieldPath(path, field)}[${i}]`;
    return { fields: record(value, at), path: at };
  });

export const strings = (from: Fields, field: string, path: string): string[] =>
  list(from, field, path).map((value) => {
    if (typeof value !== 'string') throw new Error(`${fieldPath(path, field)}: must be a list of strings`);
    return value;
  });

/** '' where it is absent. */
export function text(from: Fields, field: string, path: string): string {
  const value = from[field] ?? '';
  if (typeof value !== 'string') throw new Error(`${fieldPath(path, field)}: must be a string`);
  return value;
}

export function flag(from: Fields, field: string, path: string): boolean {
  const value = from[field] ?? false;
  if (typeof value !== 'boolean') throw new Error(`${fieldPath(path, field)}: must be true or false`);
  return value;
}

/** A field that nobody knows is a mistake that must not be passed over. */
export function onlyFields(from: Fields, known: readonly string[], path: string): void {
  for (const field of Object.keys(from)) {
    if (!known.includes(field)) throw new Error(`strict decoding error: unknown field "${fieldPath(path, field)}"`);
  }
}

/** `a.b`, or `b` at the top. */
export const fieldPath = (path: string, field: string): string => (path === '' ? field : `${path}.${field}`);

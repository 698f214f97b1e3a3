import type { OpenApiObject } from './definitions.js';
import type { RemoteOpenApi } from './openapi.js';

const prefix = '#/definitions/';

const objectOf = (value: unknown): OpenApiObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as OpenApiObject) : {};

/**
 * Adds the paths of extension servers to a v2 document, and the definitions that these need. A definition whose name is taken
 * by another one gets a name of its own (`NAME_v2`), as in the original.
 */
export function mergeRemote(document: OpenApiObject, remote: readonly RemoteOpenApi[]): OpenApiObject {
  const paths: Record<string, unknown> = { ...objectOf(document['paths']) };
  const definitions: Record<string, unknown> = { ...objectOf(document['definitions']) };
  let isChanged = false;
  for (const { path, v2 } of remote) {
    const theirs = Object.entries(objectOf(v2?.['paths'])).filter(
      ([at]) => at === `/${path}/` || at.startsWith(`/${path}/`),
    );
    if (theirs.length === 0) continue;
    isChanged = true;
    const named = objectOf(v2?.['definitions']);
    const names = rename(closureOf(theirs, named), named, definitions);
    for (const [name, as] of names) definitions[as] ??= withNames(named[name], names);
    for (const [at, item] of theirs) paths[at] ??= withNames(item, names);
  }
  return isChanged ? ({ ...document, paths, definitions } as OpenApiObject) : document;
}

/** Names of all definitions that a value refers to, directly or not. */
function closureOf(value: unknown, definitions: OpenApiObject): Set<string> {
  const found = new Set<string>();
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Array.isArray(next)) open.push(...(next as unknown[]));
    else if (typeof next === 'object' && next !== null) {
      const name = referred(next as OpenApiObject);
      if (name !== undefined && !found.has(name) && Object.hasOwn(definitions, name)) {
        found.add(name);
        open.push(definitions[name]);
      }
      open.push(...Object.values(next as OpenApiObject));
    }
  }
  return found;
}

function referred({ $ref }: OpenApiObject): string | undefined {
  return typeof $ref === 'string' && $ref.startsWith(prefix) ? $ref.slice(prefix.length) : undefined;
}

function rename(
  names: ReadonlySet<string>,
  theirs: OpenApiObject,
  ours: Readonly<Record<string, unknown>>,
): Map<string, string> {
  const as = new Map<string, string>();
  for (const name of names) {
    let free = name;
    for (let n = 2; Object.hasOwn(ours, free) && JSON.stringify(ours[free]) !== JSON.stringify(theirs[name]); n++)
      free = `${name}_v${n}`;
    as.set(name, free);
  }
  return as;
}

function withNames(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((one) => withNames(one, names));
  if (typeof value !== 'object' || value === null) return value;
  const name = referred(value as OpenApiObject);
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === '$ref' && name !== undefined ? prefix + (names.get(name) ?? name) : withNames(one, names),
    ]),
  );
}

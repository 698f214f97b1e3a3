import { olderFamilies, type OlderFamily, type OlderType } from './older-families.js';

type Schema = Record<string, unknown>;
type Descriptions = Record<string, Record<string, string>>;

/** Adds the definitions of all families to the tables. */
export function addOlderVersions(schemas: Record<string, Schema>, descriptions: Descriptions): void {
  const modelled = new Set(Object.keys(schemas));
  for (const family of olderFamilies) {
    const names = closure(family, schemas);
    for (const name of names) {
      const newer = `${family.from}.${name}`;
      const older = `${family.to}.${name}`;
      if (modelled.has(older)) continue;
      const change = family.changes[name] ?? {};
      const derived = deriveSchema(schemas[newer] ?? { type: 'object' }, change, family, names);
      schemas[older] = { ...derived, ...(change.isNew ? {} : { derivedFrom: newer }) };
      descriptions[older] = deriveDescriptions(descriptions[newer] ?? {}, change);
    }
  }
}

/** The types that the kinds of a family need, of its own package. */
function closure({ from, kinds, changes, shared }: OlderFamily, schemas: Record<string, Schema>): ReadonlySet<string> {
  const found = new Set(Object.keys(changes).filter((name) => changes[name]?.isNew));
  const open = Object.values(kinds).flatMap(({ kind }) => [kind, `${kind}List`]);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name) || shared?.includes(name) || !schemas[`${from}.${name}`]) continue;
    found.add(name);
    const references = JSON.stringify(schemas[`${from}.${name}`]).matchAll(/"\$ref":"([^"]+)"/g);
    for (const [, reference = ''] of references)
      if (reference.slice(0, reference.lastIndexOf('.')) === from)
        open.push(reference.slice(reference.lastIndexOf('.') + 1));
  }
  return found;
}

function deriveSchema(schema: Schema, change: OlderType, family: OlderFamily, names: ReadonlySet<string>): Schema {
  const own = (value: string): string => {
    const name = value.slice(value.lastIndexOf('.') + 1);
    const isOwn = value === name || value === `${family.from}.${name}`;
    return isOwn && names.has(name) ? `${family.to}.${name}` : value;
  };
  const copy = JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? own(value) : value,
  ) as Schema & { properties?: Record<string, Schema>; required?: string[] };
  const properties = Object.entries(copy.properties ?? {}).flatMap(([name, property]): [string, Schema][] =>
    change.removed?.includes(name) ? [] : [[change.renamed?.[name] ?? name, property]],
  );
  for (const [name, { type }] of Object.entries(change.added ?? {})) properties.push([name, fieldSchema(type, own)]);
  const gone = new Set([...(change.removed ?? []), ...(change.optional ?? [])]);
  const required = (copy.required ?? [])
    .filter((name) => !gone.has(name))
    .map((name) => change.renamed?.[name] ?? name);
  const { required: _required, ...rest } = copy;
  return {
    ...rest,
    ...(required.length > 0 ? { required } : {}),
    ...(properties.length > 0 ? { properties: Object.fromEntries(properties) } : {}),
  };
}

function fieldSchema(type: string, own: (name: string) => string): Schema {
  if (type.endsWith('[]')) return { type: 'array', items: fieldSchema(type.slice(0, -2), own) };
  switch (type) {
    case 'string':
      return { type };
    case 'integer':
      return { type, format: 'int32' };
    case 'long':
      return { type: 'integer', format: 'int64' };
    case 'quantity':
      return { $ref: 'io.k8s.apimachinery.pkg.api.resource.Quantity' };
    case 'int-or-string':
      return { $ref: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString' };
    default:
      return { $ref: own(type) };
  }
}

function deriveDescriptions(texts: Record<string, string>, change: OlderType): Record<string, string> {
  const derived = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [change.renamed?.[name] ?? name, text] as const),
  );
  for (const name of change.removed ?? []) delete derived[name];
  for (const [name, { description }] of Object.entries(change.added ?? {})) derived[name] = description;
  return derived;
}

/** `export const olderResources` of generated/resources.ts: resources by `APIVERSION KIND`. */
export function olderResourceLines(): string[] {
  const entries = olderFamilies.flatMap(({ group, version, to, kinds }) =>
    Object.entries(kinds).map(
      ([resource, { kind, namespaced: isNamespaced }]) =>
        `  '${group}/${version} ${kind}': defineResource({ group: '${group}', version: '${version}', kind: '${kind}', resource: '${resource}', namespaced: ${isNamespaced}, definition: '${to}.${kind}' }),`,
    ),
  );
  return ['export const olderResources = {', ...entries, '} satisfies Record<string, Resource>;'];
}

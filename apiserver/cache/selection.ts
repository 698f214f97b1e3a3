import {
  FieldSelectorError,
  matchesField,
  parseFieldSelector,
  type FieldRequirement,
} from '../../shared/api/field-selector.js';
import { parseSelector } from '../../shared/api/selector-parser.js';
import { matchesSelector, SelectorError, type Selector } from '../../shared/api/selector.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import type { ResourceDefinition } from '../registry/definition.js';
import type { CachedObject, SelectableFields, Selected } from './cached-object.js';
import { fieldIndex, type CacheIndex, type WatchCache } from './watch-cache.js';

/** Which objects of a collection a list or watch wants. */
export interface Selection {
  /** Equal keys select the same. */
  readonly key: string;
  readonly isEverything: boolean;
  /** A field or label that must have this value. */
  readonly index: { readonly by: CacheIndex; readonly value: string } | undefined;
  /** The only name that can match. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  /** How the fields that it may look at are read. */
  readonly by: SelectableFields;
  readonly matches: (object: CachedObject) => boolean;
}

export const everything: Selection = {
  key: '',
  isEverything: true,
  index: undefined,
  name: undefined,
  namespace: undefined,
  by: {},
  matches: () => true,
};

/** Reads both selectors; 400 for one that cannot be read or names a field that the kind does not offer. */
export function compileSelection(
  definition: ResourceDefinition,
  labelSelector: string,
  fieldSelector: string,
): Selection {
  if (labelSelector === '' && fieldSelector === '') return everything;
  const labels = parseLabels(labelSelector);
  const fields = parseFields(definition, fieldSelector);
  const equal = (field: string): string | undefined =>
    fields.find((one) => one.field === field && one.operator === '=')?.value;
  const checks = fields.map(fieldCheck);
  const by = definition.selectableFields as SelectableFields;
  const name = equal('metadata.name');
  const keyEnd = name === undefined ? '' : `/${name}`;
  return {
    key: `${definition.resource.apiVersion} ${labelSelector} ${fieldSelector}`,
    isEverything: labels.requirements.length === 0 && !labels.isNothing && fields.length === 0,
    index: indexedField(definition, fields) ?? indexedLabel(labels, by),
    name,
    namespace: equal('metadata.namespace'),
    by,
    matches: (cached) => {
      if (!cached.key.endsWith(keyEnd)) return false;
      const selected = cached.selected(by);
      return matchesSelector(labels, selected.labels) && checks.every((check) => check(cached, selected));
    },
  };
}

/**
 * To be awaited before many objects of a cache are asked whether they match: those that nobody has looked into are, in slices, so
 * that others have their turn. Who selects by name looks into one object only.
 */
export async function prepareToSelect(cache: WatchCache, { isEverything, name, index, by }: Selection): Promise<void> {
  if (!isEverything && name === undefined) await cache.lookInto(by, index?.by);
}

/** Field selectors that are worth an index: each node asks for its own pods. */
const indexedFields = ['spec.nodeName'];

function indexedField(
  { selectableFields, storedAs }: ResourceDefinition,
  fields: readonly FieldRequirement[],
): Selection['index'] {
  const found = fields.find(({ operator, field }) => operator === '=' && indexedFields.includes(field));
  if (!found || storedAs || !selectableFields[found.field]) return undefined;
  return { by: fieldIndex(found.field, selectableFields as SelectableFields), value: found.value };
}

function indexedLabel({ requirements }: Selector, fields: SelectableFields): Selection['index'] {
  const found = requirements.find(({ operator }) => operator === '=');
  const value = found?.values[0];
  if (!found || value === undefined) return undefined;
  const { key } = found;
  const by: CacheIndex = { name: `label ${key}`, valueOf: (cached) => cached.selected(fields).labels?.[key] };
  return { by, value };
}

function parseLabels(text: string): Selector {
  try {
    return parseSelector(text);
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message);
    throw error;
  }
}

function parseFields(definition: ResourceDefinition, text: string): FieldRequirement[] {
  let fields: FieldRequirement[];
  try {
    fields = parseFieldSelector(text);
  } catch (error) {
    if (error instanceof FieldSelectorError) throw badRequest(error.message);
    throw error;
  }
  const { selectableFields, custom, resource } = definition;
  // Built-in kinds without fields of their own share one rule, which knows no scopes.
  const isPlain = !custom && Object.keys(selectableFields).length === 0;
  for (const { field } of fields) {
    if (field === 'metadata.name' || (field === 'metadata.namespace' && (resource.namespaced || isPlain))) continue;
    if (Object.hasOwn(selectableFields, field)) continue;
    throw badRequest(
      isPlain
        ? `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
        : `field label not supported: ${field}`,
    );
  }
  return fields;
}

function fieldCheck(requirement: FieldRequirement): (cached: CachedObject, selected: Selected) => boolean {
  const { field } = requirement;
  if (field === 'metadata.name') return (cached) => matchesField(requirement, cached.name);
  if (field === 'metadata.namespace') return (_, { namespace = '' }) => matchesField(requirement, namespace);
  return (_, { fields }) => matchesField(requirement, fields[field] ?? '');
}

import { badRequest, excerpt } from '../errors/bad-request.js';
import { goText } from '../api/go-text.js';
import { getField, isObject, type JsonObject } from '../api/json.js';
import type { StatusError } from '../errors/status-error.js';

type MergeItem = (item: JsonObject, change: JsonObject) => JsonObject;
type List = readonly unknown[];

const directiveOf = (item: unknown): unknown => (isObject(item) ? getField(item, '$patch') : undefined);

/** A refusal that names types as Go does. */
export const wrongType = (wanted: string, given: unknown): StatusError =>
  badRequest(`expected a ${wanted}, but received a ${goTypeOf(given)}`);

function goTypeOf(value: unknown): string {
  if (value === null || value === undefined) return '%!s(<nil>)';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'object' ? 'map[string]interface {}' : typeof value === 'boolean' ? 'bool' : typeof value;
}

/** Identity of an item: the value of its merge key, or of the primitive itself. */
function identityOf(item: unknown, mergeKey: string | undefined): string {
  if (mergeKey === undefined) {
    if (isObject(item)) throw badRequest('cannot merge lists without merge key for struct');
    return JSON.stringify(item);
  }
  if (!isObject(item)) throw wrongType('map[string]interface {}', item);
  const value = getField(item, mergeKey);
  if (value === undefined)
    throw badRequest(`map: ${excerpt(goText(item))} does not contain declared merge key: ${mergeKey}`);
  return JSON.stringify(value);
}

/** The one form that all items of some lists have. @throws StatusError where they have several, or are lists themselves */
function formOf(...lists: readonly List[]): string {
  const items = lists.flat(1);
  if (items.length === 0) throw badRequest('no elements in any of the given slices');
  const [form = ''] = items.map(goTypeOf);
  if (form.startsWith('[]')) throw badRequest('lists of lists are not supported');
  if (form.startsWith('%') || items.some((item) => goTypeOf(item) !== form))
    throw badRequest(`list element types are not identical: ${excerpt(goText(lists))}`);
  return form;
}
const isMapForm = (form: string): boolean => form.startsWith('map[');

/** Whether deleting from a list is by value; lists of objects take what should be deleted for a patch. */
export const isPrimitiveList = (current: List, given: List): boolean =>
  current.length + given.length === 0 || !isMapForm(formOf(current, given));

export function deletePrimitives(current: List, deletions: List): List {
  const gone = new Set(deletions);
  return current.filter((item) => !gone.has(item));
}

/** A list after its patch, and the order that the list had before, for whoever orders it anew. */
export interface MergedList {
  readonly list: List;
  readonly server: List;
}

/** Merges a patch of a list whose items have an identity. */
export function mergeList(current: List, patch: List, mergeKey: string | undefined, mergeItem: MergeItem): MergedList {
  if (current.length === 0 && patch.length === 0) return { list: current, server: current };
  if (!isMapForm(formOf(current, patch))) {
    const list = arrange([...new Set([...current, ...patch])], { wanted: patch, server: current, mergeKey });
    return { list, server: current };
  }
  if (mergeKey === undefined) throw badRequest('cannot merge lists without merge key for struct');
  const changes = patch.filter((item) => directiveOf(item) === undefined);
  const gone = deletedIdentities(patch, mergeKey);
  if (patch.some((item) => directiveOf(item) === 'replace'))
    return { list: arrange(changes, { wanted: [], server: changes, mergeKey }), server: current };
  const kept = gone.size === 0 ? current : current.filter((item) => !gone.has(keyIn(item, mergeKey)));
  const items = [...kept];
  // Several items may share an identity (a port of TCP and one of UDP): the first is meant, the others stay.
  const places = new Map<string | undefined, number>();
  items.forEach((item, index) => {
    const identity = keyIn(item, mergeKey);
    if (!places.has(identity)) places.set(identity, index);
  });
  for (const change of changes) {
    const identity = identityOf(change, mergeKey);
    const place = places.get(identity);
    places.set(identity, place ?? items.length);
    if (place === undefined) items.push(change);
    else items[place] = mergeItem(items[place] as JsonObject, change as JsonObject);
  }
  const list = arrange(items, { wanted: changes, server: kept, mergeKey });
  return { list, server: inPlace(current, kept.length, items) };
}

/**
 * In the original a list is changed in place: new items stand where deleted ones made room for them, and count as if
 * they had been on the server when the list is ordered.
 */
function inPlace(current: List, keptCount: number, items: List): List {
  if (keptCount === current.length) return current;
  return [...items.slice(0, current.length), ...current.slice(items.length)];
}

/** Like identityOf, but undefined where an item has none. */
function keyIn(item: unknown, mergeKey: string): string | undefined {
  const value = isObject(item) ? getField(item, mergeKey) : undefined;
  return value === undefined ? undefined : JSON.stringify(value);
}

function deletedIdentities(patch: List, mergeKey: string): Set<string | undefined> {
  const gone = new Set<string | undefined>();
  for (const item of patch) {
    const given = directiveOf(item);
    if (given === 'delete') gone.add(identityOf(item, mergeKey));
    else if (given === 'merge') throw badRequest('merging lists cannot yet be specified in the patch');
    else if (given !== undefined && given !== 'replace')
      throw badRequest(`unknown patch type: ${excerpt(goText(given))} in map: ${excerpt(goText(item))}`);
  }
  return gone;
}

export interface ElementOrder {
  /** The directive: identities in the order that is wanted. */
  readonly order: List;
  /** The list before the patch; undefined: there was none. */
  readonly server: List | undefined;
  /** The patch of the list, each item of which the order must name. */
  readonly given: List | undefined;
  readonly mergeKey: string | undefined;
}

/** Merges a list and applies `$setElementOrder` to it; undefined where there is no list. */
export function orderList(merge: () => MergedList, { order, server, given, mergeKey }: ElementOrder): List | undefined {
  refuseOtherOrder(given ?? [], order, mergeKey);
  if (!server && !given) return undefined;
  const merged = merge();
  const isOfMaps = isMapForm(formOf(server ?? [], given ?? []));
  if (isOfMaps && mergeKey === undefined) throw badRequest('cannot merge lists without merge key for struct');
  return arrange(merged.list, { wanted: order, server: merged.server, mergeKey });
}

/** The items of the patch must come in the order that they ask for. */
function refuseOtherOrder(given: List, order: List, mergeKey: string | undefined): void {
  if (given.length === 0 || order.length === 0) return;
  if (mergeKey !== undefined)
    for (const item of given) if (!isObject(item)) throw wrongType('map[string]interface {}', item);
  const listed = given.filter((item) => directiveOf(item) !== 'delete');
  let next = 0;
  for (const wanted of order) {
    while (next < listed.length && directiveOf(listed[next]) !== undefined) next += 1;
    if (next >= listed.length) return;
    if (identityOf(listed[next], mergeKey) === identityOf(wanted, mergeKey)) next += 1;
  }
  if (next >= listed.length) return;
  const [patch, shown] = [given, order].map((items) => excerpt(goText(items)));
  throw badRequest(`The order in patch list:\n${patch}\n doesn't match $setElementOrder list:\n${shown}\n`);
}

interface Arrangement {
  readonly wanted: List;
  readonly server: List;
  readonly mergeKey: string | undefined;
}

interface Placed {
  readonly item: unknown;
  readonly wantedAt: number | undefined;
  readonly serverAt: number | undefined;
}

/**
 * Puts the items that `wanted` names into its order, and weaves the others in where they stood on the server: an item of
 * the server goes before the first named item that it preceded there.
 */
function arrange(list: List, { wanted, server, mergeKey }: Arrangement): List {
  const identities = (items: List): Map<string, number> =>
    new Map(items.map((item, index): [string, number] => [identityOf(item, mergeKey), index]).reverse());
  const wantedPlaces = identities(wanted);
  const serverPlaces = identities(server);
  const placed = list.map((item): Placed => {
    const identity = identityOf(item, mergeKey);
    return { item, wantedAt: wantedPlaces.get(identity), serverAt: serverPlaces.get(identity) };
  });
  const named = placed.filter(({ wantedAt }) => wantedAt !== undefined);
  named.sort((a, b) => (a.wantedAt ?? 0) - (b.wantedAt ?? 0));
  const others = inServerOrder(placed.filter(({ wantedAt }) => wantedAt === undefined));
  const result: unknown[] = [];
  let next = 0;
  for (const { item, serverAt } of named) {
    for (; next < others.length; next++) {
      const other = others[next];
      if (serverAt === undefined || other?.serverAt === undefined || other.serverAt >= serverAt) break;
      result.push(other.item);
    }
    result.push(item);
  }
  return [...result, ...others.slice(next).map(({ item }) => item)];
}

/** Items that neither the order nor the server has go before all others, the last of them first, as in the original. */
function inServerOrder(items: readonly Placed[]): readonly Placed[] {
  const known = items.filter(({ serverAt }) => serverAt !== undefined);
  known.sort((a, b) => (a.serverAt ?? 0) - (b.serverAt ?? 0));
  if (known.length === items.length) return known;
  return [...items.filter(({ serverAt }) => serverAt === undefined).reverse(), ...known];
}

import { badRequest, excerpt } from '../errors/bad-request.js';
import { goText } from '../api/go-text.js';
import { getField, isObject, type JsonObject } from '../api/json.js';

type MergeItem = (item: JsonObject, change: JsonObject) => JsonObject;

const directiveOf = (item: unknown): unknown => (isObject(item) ? getField(item, '$patch') : undefined);

/** Identity of an item: the value of its merge key, or of the primitive itself. */
function identityOf(item: unknown, mergeKey: string | undefined): string {
  if (Array.isArray(item)) throw badRequest('lists of lists are not supported');
  if (!isObject(item)) {
    if (mergeKey !== undefined) throw badRequest('value is not a map');
    return JSON.stringify(item);
  }
  if (mergeKey === undefined) throw badRequest('cannot merge lists without merge key');
  const value = getField(item, mergeKey);
  if (value === undefined)
    throw badRequest(`map: ${excerpt(goText(item))} does not contain declared merge key: ${mergeKey}`);
  return JSON.stringify(value);
}

/** Merges a patch of a list whose items have an identity. */
export function mergeList(
  current: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string | undefined,
  mergeItem: MergeItem,
): unknown[] {
  refuseMixedItems(current, patch);
  for (const item of patch) refuseUnknownDirective(item);
  const changes = patch.filter((item) => directiveOf(item) === undefined);
  if (patch.some((item) => directiveOf(item) === 'replace')) return changes.map((item) => merged({}, item, mergeItem));
  const gone = new Set(
    patch.filter((item) => directiveOf(item) === 'delete').map((item) => identityOf(item, mergeKey)),
  );
  const items = current.filter((item) => !gone.has(identityOf(item, mergeKey)));
  // Several items may share an identity (a port of TCP and one of UDP): the first is meant, the others stay.
  const places = new Map<string, number>();
  items.forEach((item, index) => {
    const identity = identityOf(item, mergeKey);
    if (!places.has(identity)) places.set(identity, index);
  });
  for (const change of changes) {
    const identity = identityOf(change, mergeKey);
    const place = places.get(identity) ?? items.length;
    places.set(identity, place);
    items[place] = merged(items[place], change, mergeItem);
  }
  return arrange(items, changes, current, mergeKey);
}

function merged(item: unknown, change: unknown, mergeItem: MergeItem): unknown {
  return isObject(change) ? mergeItem(isObject(item) ? item : {}, change) : change;
}

function refuseUnknownDirective(item: unknown): void {
  const given = directiveOf(item);
  if (given === undefined || given === 'replace' || given === 'delete') return;
  if (given === 'merge') throw badRequest('merging lists cannot yet be specified in the patch');
  throw badRequest(`unknown patch type: ${excerpt(goText(given))} in map: ${excerpt(goText(item))}`);
}

const kindOf = (item: unknown): string => (Array.isArray(item) ? 'list' : item === null ? 'null' : typeof item);

function refuseMixedItems(current: readonly unknown[], patch: readonly unknown[]): void {
  const kind = kindOf(current.length > 0 ? current[0] : patch[0]);
  const isOther = (item: unknown): boolean => kindOf(item) !== kind;
  if (current.some(isOther) || patch.some(isOther))
    throw badRequest(`list element types are not identical: ${excerpt(goText([current, patch]))}`);
}

export interface ElementOrder {
  /** The directive: identities in the order that is wanted. */
  readonly order: readonly unknown[];
  /** The list before the patch. */
  readonly server: readonly unknown[];
  /** The patch of the list, each item of which the order must name. */
  readonly given: readonly unknown[];
  readonly mergeKey: string | undefined;
}

/** Applies `$setElementOrder` to a merged list. */
export function orderList(list: readonly unknown[], { order, server, given, mergeKey }: ElementOrder): unknown[] {
  const places = new Map(order.map((item, index) => [identityOf(item, mergeKey), index]));
  let last = -1;
  for (const item of given) {
    if (directiveOf(item) !== undefined) continue;
    const place = places.get(identityOf(item, mergeKey));
    // The items of the patch must come in the order that they ask for.
    if (place === undefined || place < last) {
      const [patch, wanted] = [given, order].map((items) => excerpt(goText(items)));
      throw badRequest(`The order in patch list:\n${patch}\n doesn't match $setElementOrder list:\n${wanted}\n`);
    }
    last = place;
  }
  return arrange(list, order, server, mergeKey);
}

/**
 * Puts the items that `wanted` names into its order, and weaves the others in where they stood on the server: an item of
 * the server goes before the first named item that it preceded there.
 */
function arrange(
  list: readonly unknown[],
  wanted: readonly unknown[],
  server: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const identities = (items: readonly unknown[]): Map<string, number> =>
    new Map(items.map((item, index): [string, number] => [identityOf(item, mergeKey), index]).reverse());
  const wantedPlaces = identities(wanted);
  const serverPlaces = identities(server);
  const placed = list.map((item) => {
    const identity = identityOf(item, mergeKey);
    return { item, wantedAt: wantedPlaces.get(identity), serverAt: serverPlaces.get(identity) };
  });
  const named = placed.filter(({ wantedAt }) => wantedAt !== undefined);
  named.sort((a, b) => (a.wantedAt ?? 0) - (b.wantedAt ?? 0));
  const others = placed.filter(({ wantedAt }) => wantedAt === undefined);
  others.sort((a, b) => (a.serverAt ?? 0) - (b.serverAt ?? 0));
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

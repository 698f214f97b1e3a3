import type { RequestInfo } from '../http/request-info.js';

/** A list occupies a seat for each so many objects that have to be looked at. */
const objectsPerSeat = 100;
const maxListSeats = 10;
/** No request takes more than this part of its level. */
const maxPartOfLevel = 0.15;

/** How many objects of a resource there are. */
export type CountObjects = (info: RequestInfo) => number;

/** Seats that a request occupies: one, and more for a list of many objects. */
export function seatsOf(info: RequestInfo, query: URLSearchParams, count: CountObjects, nominal: number): number {
  if (!readsMany(info, query)) return 1;
  const limit = Number(query.get('limit')) || Infinity;
  // With a selector everything has to be looked at, however little comes of it.
  const isFiltered = query.has('labelSelector') || query.has('fieldSelector');
  const objects = isFiltered ? count(info) : Math.min(limit, count(info));
  const most = Math.max(1, Math.min(maxListSeats, Math.ceil(maxPartOfLevel * nominal)));
  return Math.min(Math.max(1, Math.ceil(objects / objectsPerSeat)), most);
}

function readsMany({ verb, isResourceRequest }: RequestInfo, query: URLSearchParams): boolean {
  if (!isResourceRequest || (verb !== 'list' && verb !== 'watch')) return false;
  if (query.get('fieldSelector')?.startsWith('metadata.name=')) return false;
  return verb === 'list' || query.get('sendInitialEvents') === 'true';
}

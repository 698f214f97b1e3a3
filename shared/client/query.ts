import type { DeleteOptions, ListOptions, PatchOptions, WatchOptions, WriteOptions } from './client.js';

type Value = string | number | boolean | undefined;

function queryText(values: Record<string, Value>): string {
  const parts = Object.entries(values)
    .filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined && entry[1] !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** Query of a list, and of a deletecollection. */
export function listQuery(options: ListOptions): string {
  const { labelSelector, fieldSelector, limit, resourceVersion, resourceVersionMatch } = options;
  const paging = { limit, continue: options.continue };
  return queryText({ labelSelector, fieldSelector, ...paging, resourceVersion, resourceVersionMatch });
}

/** Query of a watch. Initial events imply NotOlderThan, as the API demands. */
export function watchQuery(options: WatchOptions): string {
  const { labelSelector, fieldSelector, resourceVersion, sendInitialEvents, timeoutSeconds } = options;
  return queryText({
    watch: true,
    labelSelector,
    fieldSelector,
    resourceVersion,
    allowWatchBookmarks: options.allowWatchBookmarks ?? true,
    sendInitialEvents,
    resourceVersionMatch: sendInitialEvents === undefined ? undefined : 'NotOlderThan',
    timeoutSeconds,
  });
}

/** Query of create, update and patch. */
export function writeQuery(options: WriteOptions & Pick<PatchOptions, 'force'>): string {
  const { dryRun, fieldManager, fieldValidation, force } = options;
  return queryText({ dryRun: dryRun ? 'All' : undefined, fieldManager, fieldValidation, force });
}

/** Body of a delete; undefined when nothing is asked for. */
export function deleteBody(options: DeleteOptions): string | undefined {
  const { gracePeriodSeconds, propagationPolicy, preconditions, dryRun } = options;
  const asked = { gracePeriodSeconds, propagationPolicy, preconditions, dryRun: dryRun ? ['All'] : undefined };
  if (Object.values(asked).every((value) => value === undefined)) return undefined;
  return JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', ...asked });
}

import { humanAge } from '../../shared/api/duration.js';
import type { Event } from '../../shared/api/generated/types.js';
import type { Column } from '../registry/definition.js';
import { column, nameColumn, wideColumn } from './column.js';

export const eventColumns: readonly Column<Event>[] = [
  column('Last Seen', lastSeen),
  column('Type', (event) => event.type ?? ''),
  column('Reason', (event) => event.reason ?? ''),
  column('Object', ({ involvedObject: { kind = '', name = '' } }) =>
    name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
  ),
  wideColumn('Subobject', (event) => event.involvedObject.fieldPath ?? ''),
  wideColumn('Source', source),
  column('Message', (event) => (event.message ?? '').trim()),
  wideColumn('First Seen', firstSeen),
  wideColumn('Count', (event) => String(count(event))),
  { ...nameColumn<Event>(), priority: 1 },
];

function firstSeen(event: Event, nowMs: number): string {
  return humanAge(event.firstTimestamp ?? event.eventTime, nowMs);
}

function lastSeen(event: Event, nowMs: number): string {
  const last = event.series?.lastObservedTime ?? event.lastTimestamp;
  return last === undefined ? firstSeen(event, nowMs) : humanAge(last, nowMs);
}

/** An event without count and series was seen once. */
function count(event: Event): number {
  return event.series?.count ?? (event.count ? event.count : 1);
}

function source(event: Event): string {
  const component = event.source?.component || event.reportingComponent || '';
  const host = event.source?.host || event.reportingInstance || '';
  return [component, host].filter((part) => part !== '').join(', ');
}

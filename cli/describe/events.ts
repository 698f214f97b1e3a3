import { resourcePath } from '../../shared/api/resource.js';
import type { Event } from '../../shared/api/generated/types.js';
import { humanAge } from '../../shared/api/duration.js';
import type { CommandContext } from '../context.js';
import type { FoundObject } from '../found-objects.js';
import type { AnyObject } from '../server-api.js';
import type { Lines } from './lines.js';

/** What happened to an object, the oldest first. Nothing when events cannot be read. */
export async function eventsOf(context: CommandContext, { object, namespace, type }: FoundObject): Promise<Event[]> {
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const events = mapper.types.find((each) => each.group === '' && each.resource === 'events');
  if (!events) return [];
  const { name = '', uid = '' } = object.metadata;
  // A Node's events carry the node's name for its uid.
  const identity = type.kind === 'Node' ? '' : `,involvedObject.uid=${uid}`;
  const fieldSelector = `involvedObject.name=${name},involvedObject.kind=${type.kind}${identity}`;
  const scope = namespace ? { namespaceOf: namespace } : { namespaceOf: undefined };
  const list = await api.json<AnyObject>({
    path: resourcePath(events, scope.namespaceOf),
    query: { fieldSelector, limit: 500 },
  });
  const items = (list['items'] ?? []) as Event[];
  const lastTime = (event: Event): number => Date.parse(event.lastTimestamp ?? event.eventTime ?? '') || 0;
  return items.toSorted((a, b) => lastTime(a) - lastTime(b));
}

export function describeEvents(lines: Lines, events: readonly Event[], nowMs: number): void {
  if (events.length === 0) return lines.add(0, 'Events:', '<none>');
  lines.add(0, 'Events:');
  lines.add(1, 'Type', 'Reason', 'Age', 'From', 'Message');
  lines.add(1, '----', '------', '----', '----', '-------');
  for (const event of events) {
    const { type = '', reason = '', message = '', source, reportingComponent } = event;
    lines.add(1, type, reason, ageText(event, nowMs), source?.component || reportingComponent || '', message.trim());
  }
}

function ageText({ count = 0, firstTimestamp, lastTimestamp, eventTime, series }: Event, nowMs: number): string {
  const first = firstTimestamp ?? eventTime;
  const times = series?.count ?? count;
  if (times <= 1) return humanAge(first, nowMs);
  return `${humanAge(series?.lastObservedTime ?? lastTimestamp, nowMs)} (x${times} over ${humanAge(first, nowMs)})`;
}

import { events, eventsEventsV1 } from '../../shared/api/generated/resources.js';
import type { Event, EventsV1Event } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import type { ResourceDefinition } from '../registry/definition.js';
import { validateEvent, validateStrictEvent, validateStrictEventUpdate } from '../validation/event.js';
import { eventColumns } from './event-columns.js';
import { defineKind } from './kind.js';

const EVENT_SELECTABLE: Record<string, (event: Event) => string> = {
  'involvedObject.kind': (event) => event.involvedObject.kind ?? '',
  'involvedObject.namespace': (event) => event.involvedObject.namespace ?? '',
  'involvedObject.name': (event) => event.involvedObject.name ?? '',
  'involvedObject.uid': (event) => event.involvedObject.uid ?? '',
  'involvedObject.apiVersion': (event) => event.involvedObject.apiVersion ?? '',
  'involvedObject.resourceVersion': (event) => event.involvedObject.resourceVersion ?? '',
  'involvedObject.fieldPath': (event) => event.involvedObject.fieldPath ?? '',
  reason: (event) => event.reason ?? '',
  reportingComponent: (event) => event.reportingComponent ?? '',
  source: (event) => event.source?.component || event.reportingComponent || '',
  type: (event) => event.type ?? '',
};

/** core/v1 Event: the stored form. */
export const eventDefinition = defineKind<Event>({
  resource: events,
  shortNames: ['ev'],
  allowCreateOnUpdate: true,
  columns: eventColumns,
  selectableFields: EVENT_SELECTABLE,
  strategy: {
    defaults: (event) => {
      event.involvedObject ??= {};
    },
    validate: validateEvent,
  },
});

/** events.k8s.io/v1 Event: another form of the stored core events, with stricter rules. */
export const eventsV1EventDefinition = defineKind<Event>({
  resource: eventsEventsV1 as Resource as Resource<Event>,
  shortNames: ['ev'],
  allowCreateOnUpdate: true,
  columns: eventColumns,
  selectableFields: {
    ...Object.fromEntries(
      ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((field) => [
        `regarding.${field}`,
        (event: Event) => event.involvedObject[field as 'kind'] ?? '',
      ]),
    ),
    reason: (event) => event.reason ?? '',
    reportingController: (event) => event.reportingComponent ?? '',
    type: (event) => event.type ?? '',
  },
  strategy: {
    validate: validateStrictEvent,
    validateUpdate: validateStrictEventUpdate,
  },
  storedAs: {
    definition: eventDefinition as unknown as ResourceDefinition,
    fromStored: (stored) => fromCoreEvent(stored as KubernetesObject & Event),
    toStored: (event) => toCoreEvent(event as KubernetesObject & EventsV1Event),
  },
});

/** Removes the keys that have no value, so that absent stays absent in the other form. */
function compact<T extends object>(object: T): T {
  for (const key of Object.keys(object) as (keyof T)[]) if (object[key] === undefined) delete object[key];
  return object;
}

export function toCoreEvent(event: EventsV1Event): Event {
  const { regarding, note, deprecatedCount, deprecatedFirstTimestamp, deprecatedLastTimestamp, ...rest } = event;
  const { deprecatedSource, reportingController, ...same } = rest;
  return compact({
    ...same,
    apiVersion: 'v1',
    involvedObject: regarding ?? {},
    message: note,
    count: deprecatedCount,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    source: deprecatedSource,
    reportingComponent: reportingController,
  } as Event);
}

/** In the form of events.k8s.io, whose versions are alike. */
export function fromCoreEvent(event: Event, apiVersion = 'events.k8s.io/v1'): EventsV1Event {
  const { involvedObject, message, count, firstTimestamp, lastTimestamp, source, reportingComponent, ...same } = event;
  return compact({
    ...same,
    apiVersion,
    regarding: involvedObject,
    note: message,
    deprecatedCount: count,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedSource: source,
    reportingController: reportingComponent,
  } as EventsV1Event);
}

import type { Event } from '../../shared/api/generated/types.js';
import { append, invalid, invalidEach, required, type FieldError } from './field-error.js';
import { isDns1123Subdomain, isQualifiedName } from './names.js';
import { validateImmutable } from './object-meta.js';

const LIMITS = { reportingInstance: 128, action: 128, reason: 128, message: 1024 } as const;

/** What both versions ask of an event. Events of objects without a namespace live in `default`. */
export function validateEvent(event: Event): FieldError[] {
  const namespace = event.metadata.namespace ?? '';
  const involved = event.involvedObject?.namespace ?? '';
  const errors = isNamespaceGood(namespace, involved, event.eventTime !== undefined)
    ? []
    : [invalid('involvedObject.namespace', involved, 'does not match event.namespace')];
  if (event.eventTime !== undefined) append(errors, validateNewFields(event));
  return [...errors, ...invalidEach('namespace', namespace, isDns1123Subdomain(namespace))];
}

function isNamespaceGood(namespace: string, involved: string, hasEventTime: boolean): boolean {
  if (involved !== '') return hasEventTime || namespace === involved;
  return namespace === '' || namespace === 'default' || (hasEventTime && namespace === 'kube-system');
}

/** Only recorders of the new kind set eventTime, and those set the rest as well. */
function validateNewFields(event: Event): FieldError[] {
  const { reportingComponent = '', reportingInstance, action, reason } = event;
  const errors: FieldError[] = [];
  if (reportingComponent === '') errors.push(required('reportingController'));
  append(errors, invalidEach('reportingController', reportingComponent, isQualifiedName(reportingComponent)));
  for (const [field, value] of Object.entries({ reportingInstance, action, reason }))
    if (!value) errors.push(required(field));
  for (const field of ['reportingInstance', 'action', 'reason', 'message'] as const)
    if (Buffer.byteLength(event[field] ?? '') > LIMITS[field])
      errors.push(invalid(field, '', `can have at most ${LIMITS[field]} characters`));
  return errors;
}

/** What events.k8s.io/v1 asks besides. */
export function validateStrictEvent(event: Event): FieldError[] {
  const errors = [...validateEvent(event), ...validateSeries(event)];
  if (!event.eventTime) errors.push(required('eventTime'));
  if (event.type !== 'Normal' && event.type !== 'Warning')
    errors.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count'] as const)
    if (event[field]) errors.push(invalid(field, '', 'needs to be unset'));
  if (event.source?.component || event.source?.host) errors.push(invalid('source', '', 'needs to be unset'));
  return errors;
}

function validateSeries({ series }: Event): FieldError[] {
  if (!series) return [];
  const errors: FieldError[] = [];
  if ((series.count ?? 0) < 2) errors.push(invalid('series.count', '', 'should be at least 2'));
  if (!series.lastObservedTime) errors.push(required('series.lastObservedTime'));
  return errors;
}

const FIXED = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
] as const;

/** Only the series of an event goes on. */
export function validateStrictEventUpdate(event: Event, old: Event): FieldError[] {
  return [
    ...validateEvent(event),
    ...(JSON.stringify(event.series) === JSON.stringify(old.series) ? [] : validateSeries(event)),
    ...FIXED.flatMap((field) =>
      validateImmutable(event[field], old[field], field === 'reportingComponent' ? 'reportingController' : field),
    ),
  ];
}

import { isQueryFlagSet } from '../../shared/api/query.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import { invalid } from '../registry/status-errors.js';
import { forbidden, notSupported, type FieldError } from '../validation/field-error.js';

/** What the query of a list or watch asks for, checked. */
export interface ListOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly limit: number;
  readonly continue: string;
  /** Undefined where the client gave none. */
  readonly resourceVersion: number | undefined;
  readonly resourceVersionMatch: '' | 'Exact' | 'NotOlderThan';
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(parseFault('ParseInt', text, 'invalid syntax'));
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw badRequest(parseFault('ParseInt', text, 'value out of range'));
  return value;
}

const parseFault = (parser: string, text: string, why: string): string =>
  `strconv.${parser}: parsing ${JSON.stringify(text)}: ${why}`;

export function parseResourceVersion(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  const value = Number(text);
  const isNumber = /^\d+$/.test(text);
  if (!isNumber || !Number.isSafeInteger(value)) {
    const fault = parseFault('ParseUint', text, isNumber ? 'value out of range' : 'invalid syntax');
    throw badRequest(`invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: ${fault}`);
  }
  return value;
}

export function parseListOptions(query: URLSearchParams, isWatch: boolean): ListOptions {
  const { sendInitialEvents, match } = initialEvents(query, isWatch);
  const options: ListOptions = {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    limit: Math.max(0, integer(query, 'limit') ?? 0),
    continue: query.get('continue') ?? '',
    resourceVersion: parseResourceVersion(query.get('resourceVersion')),
    resourceVersionMatch: match === 'Exact' || match === 'NotOlderThan' ? match : '',
    allowWatchBookmarks: isQueryFlagSet(query, 'allowWatchBookmarks'),
    sendInitialEvents,
    timeoutSeconds: integer(query, 'timeoutSeconds'),
  };
  const errors = isWatch ? checkWatch(options, match) : checkList(options, match);
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
  return options;
}

/** A watch from no particular revision begins with what exists, as if it had asked for that. */
function initialEvents(
  query: URLSearchParams,
  isWatch: boolean,
): { readonly sendInitialEvents: boolean | undefined; readonly match: string } {
  const given = query.get('sendInitialEvents');
  const match = query.get('resourceVersionMatch') ?? '';
  const sendInitialEvents = given === null ? undefined : isQueryFlagSet(query, 'sendInitialEvents');
  const isFromAnywhere = ['', '0'].includes(query.get('resourceVersion') ?? '');
  return isWatch && isFromAnywhere && given === null && match === ''
    ? { sendInitialEvents: true, match: 'NotOlderThan' }
    : { sendInitialEvents, match };
}

const matchWithContinue = forbidden(
  'resourceVersionMatch',
  'resourceVersionMatch is forbidden when continue is provided',
);

function checkWatch(options: ListOptions, match: string): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (why: string): void => void errors.push(forbidden('resourceVersionMatch', why));
  if (options.sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    refuse('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  }
  if (match === '') return errors;
  if (options.sendInitialEvents === undefined) {
    refuse('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
  }
  if (match !== 'NotOlderThan') errors.push(notSupported('resourceVersionMatch', match, ['NotOlderThan']));
  if (options.continue !== '') errors.push(matchWithContinue);
  return errors;
}

function checkList(options: ListOptions, match: string): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (why: string): void => void errors.push(forbidden('resourceVersionMatch', why));
  if (match !== '') {
    if (options.resourceVersion === undefined) {
      refuse('resourceVersionMatch is forbidden unless resourceVersion is provided');
    }
    if (options.continue !== '') errors.push(matchWithContinue);
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push(notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']));
    } else if (match === 'Exact' && options.resourceVersion === 0) {
      refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
    }
  }
  if (options.sendInitialEvents !== undefined) {
    errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  return errors;
}

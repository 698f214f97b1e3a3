import { isIPv4, isIPv6 } from 'node:net';
import { parseDuration, parseTimestamp } from '../cel/time-values.js';
import { validateCidr } from '../validation/address.js';

const matching =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text);
const uuid = (version: string): ((text: string) => boolean) =>
  matching(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i'));

/** Formats that are checked; any other name is a mere note. No pattern here backtracks more than its text is long. */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: matching(/^[0-9a-f]{24}$/i),
  uri: (text) => URL.canParse(text) || text.startsWith('/'),
  email: (text) => text.length <= 320 && /^[^\s@<>]+@[^\s@<>]+$/.test(text),
  hostname: (text) => text.length <= 253 && /^[A-Za-z0-9]([A-Za-z0-9-]{0,62})?(\.[A-Za-z0-9-]{1,63})*\.?$/.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: (text) => validateCidr('', text).length === 0,
  mac: matching(/^([0-9a-f]{2}[:-]){5}([0-9a-f]{2}[:-]?){0,2}[0-9a-f]{2}$|^([0-9a-f]{4}\.){2}[0-9a-f]{4}$/i),
  uuid: uuid('[0-9a-f]{4}'),
  uuid3: uuid('3[0-9a-f]{3}'),
  uuid4: uuid('4[0-9a-f]{3}'),
  uuid5: uuid('5[0-9a-f]{3}'),
  isbn: (text) => /^(?:\d[- ]?){9}[\dX]$|^(?:\d[- ]?){12}\d$/.test(text),
  isbn10: matching(/^(?:\d[- ]?){9}[\dX]$/),
  isbn13: matching(/^(?:\d[- ]?){12}\d$/),
  creditcard: (text) => /^\d{13,19}$/.test(text.replace(/\D/g, '')),
  ssn: matching(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matching(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i),
  rgbcolor: matching(/^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$/),
  byte: (text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && parseTimestamp(text) !== undefined,
  duration: (text) => parseDuration(text) !== undefined,
  datetime: (text) => text.includes('T') && parseTimestamp(text) !== undefined,
  'date-time': (text) => text.includes('T') && parseTimestamp(text) !== undefined,
  'k8s-short-name': (text) => text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text),
  'k8s-long-name': (text) =>
    text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text),
};

export const hasFormat = (text: string, format: string): boolean =>
  !Object.hasOwn(formats, format) || formats[format]?.(text) === true;

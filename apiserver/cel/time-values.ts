import { CelDuration, CelTimestamp } from './values.js';

const second = 1_000_000_000n;
const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: second,
  m: 60n * second,
  h: 3_600n * second,
};
const maxDuration = 2n ** 63n;
const minTimestamp = BigInt(Date.parse('0001-01-01T00:00:00Z')) * 1_000_000n;
const maxTimestamp = BigInt(Date.parse('9999-12-31T23:59:59Z')) * 1_000_000n + (second - 1n);

/** Reads Go's form: `1h30m`, `-1.5s`; undefined for anything else. */
export function parseDuration(text: string): CelDuration | undefined {
  if (text.length > 128) return undefined;
  if (/^[-+]?0$/.test(text)) return new CelDuration(0n);
  const whole = /^([-+]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text);
  if (!whole) return undefined;
  let nanos = 0n;
  for (const [, digits = '', unit = ''] of (whole[2] ?? '').matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const [integer = '', fraction = ''] = digits.split('.');
    const scale = units[unit] ?? 1n;
    nanos += BigInt(integer || '0') * scale;
    if (fraction !== '') nanos += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  if (nanos >= maxDuration) return undefined;
  return new CelDuration(whole[1] === '-' ? -nanos : nanos);
}

/** `5400s`: how CEL turns a duration into text. */
export const formatDuration = ({ nanos }: CelDuration): string =>
  `${nanos < 0n ? '-' : ''}${decimal(nanos < 0n ? -nanos : nanos, second)}s`;

function decimal(value: bigint, scale: bigint): string {
  const fraction = (value % scale)
    .toString()
    .padStart(scale.toString().length - 1, '0')
    .replace(/0+$/, '');
  return `${value / scale}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Reads RFC 3339, or a bare day; undefined for anything else and outside the years 1 to 9999. */
export function parseTimestamp(text: string): CelTimestamp | undefined {
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(day);
  if (!match) return undefined;
  const ms = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(ms)) return undefined;
  // No day 30 of February, no hour 24: they would be another day's.
  if (!new Date(Date.parse(`${match[1]}Z`)).toISOString().startsWith(match[1] ?? '')) return undefined;
  return timestampOf(BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0')));
}

export function timestampOf(nanos: bigint): CelTimestamp | undefined {
  return nanos < minTimestamp || nanos > maxTimestamp ? undefined : new CelTimestamp(nanos);
}

export const durationOf = (nanos: bigint): CelDuration | undefined =>
  nanos <= -maxDuration || nanos >= maxDuration ? undefined : new CelDuration(nanos);

export function formatTimestamp({ nanos }: CelTimestamp): string {
  const fraction = (((nanos % second) + second) % second).toString().padStart(9, '0').replace(/0+$/, '');
  const ms = Number((nanos - (((nanos % second) + second) % second)) / 1_000_000n);
  return `${new Date(ms).toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`;
}

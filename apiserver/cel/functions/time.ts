import { CelError } from '../errors.js';
import { constant, define, type Overload } from '../functions.js';
import type { CelDuration, CelTimestamp } from '../values.js';
import { floorDivide } from './standard.js';

type Part = (local: Date, nanos: bigint) => number;

const dayMs = 86_400_000;
const firstOfYear = (date: Date): number => new Date(0).setUTCFullYear(date.getUTCFullYear(), 0, 1);

const parts: Readonly<Record<string, Part>> = {
  getFullYear: (local) => local.getUTCFullYear(),
  getMonth: (local) => local.getUTCMonth(),
  getDate: (local) => local.getUTCDate(),
  getDayOfMonth: (local) => local.getUTCDate() - 1,
  getDayOfWeek: (local) => local.getUTCDay(),
  getDayOfYear: (local) => Math.floor((local.getTime() - firstOfYear(local)) / dayMs),
  getHours: (local) => local.getUTCHours(),
  getMinutes: (local) => local.getUTCMinutes(),
  getSeconds: (local) => local.getUTCSeconds(),
  getMilliseconds: (local) => local.getUTCMilliseconds(),
};

/** The date and time that clocks in `zone` show, as if it were UTC. */
function localDate({ nanos }: CelTimestamp, zone: string): Date {
  const ms = Number(floorDivide(nanos, 1_000_000n));
  if (zone === '' || zone === 'UTC') return new Date(ms);
  const offset = /^([-+]?)(\d\d):(\d\d)$/.exec(zone);
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return new Date(ms + (offset[1] === '-' ? -minutes : minutes) * 60_000);
  }
  return new Date(ms + zoneOffsetMs(ms, zone));
}

function zoneOffsetMs(ms: number, timeZone: string): number {
  let formatter: Intl.DateTimeFormat;
  try {
    formatter = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  } catch {
    throw new CelError(`unknown time zone ${timeZone.slice(0, 64)}`);
  }
  const name = formatter.formatToParts(new Date(ms)).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  const match = /GMT([-+])(\d\d):(\d\d)(?::(\d\d))?/.exec(name);
  if (!match) return 0;
  const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
  return (match[1] === '-' ? -seconds : seconds) * 1000;
}

/** Asking the platform for a zone is dear: about as much as a hundred steps. */
const zoneCost = (): number => 100;

const ofTimestamps = Object.entries(parts).flatMap(([name, part]) => [
  define(`timestamp.${name}() -> int`, (at: CelTimestamp) => BigInt(part(localDate(at, ''), at.nanos)), constant),
  define(
    `timestamp.${name}(string) -> int`,
    (at: CelTimestamp, zone: string) => BigInt(part(localDate(at, zone), at.nanos)),
    zoneCost,
  ),
]);

const total =
  (nanosInUnit: bigint) =>
  ({ nanos }: CelDuration): bigint =>
    nanos / nanosInUnit;

export const timeFunctions: readonly Overload[] = [
  ...ofTimestamps,
  define('duration.getHours() -> int', total(3_600_000_000_000n), constant),
  define('duration.getMinutes() -> int', total(60_000_000_000n), constant),
  define('duration.getSeconds() -> int', total(1_000_000_000n), constant),
  define('duration.getMilliseconds() -> int', total(1_000_000n), constant),
];

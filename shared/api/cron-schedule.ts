/** What a schedule of five fields, a descriptor such as `@daily`, or `@every 90m` says. */
export type CronSchedule =
  | {
      readonly type: 'fields';
      readonly minutes: ReadonlySet<number>;
      readonly hours: ReadonlySet<number>;
      readonly daysOfMonth: ReadonlySet<number>;
      readonly months: ReadonlySet<number>;
      /** 0 is Sunday. */
      readonly daysOfWeek: ReadonlySet<number>;
      /** Days of both kinds count where neither is `*`; else those of the other kind decide. */
      readonly isAnyDayOfMonth: boolean;
      readonly isAnyDayOfWeek: boolean;
      /** From a `TZ=` or `CRON_TZ=` prefix. */
      readonly timeZone: string | undefined;
    }
  | { readonly type: 'every'; readonly periodMs: number };

/** A schedule that cannot be read; the message is the one of the original's parser (robfig/cron v3, ParseStandard). */
export class CronScheduleError extends Error {
  override readonly name = 'CronScheduleError';
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const minuteBounds: Bounds = { min: 0, max: 59 };
const hourBounds: Bounds = { min: 0, max: 23 };
const dayBounds: Bounds = { min: 1, max: 31 };
const monthBounds: Bounds = { min: 1, max: 12, names: MONTHS };
const weekdayBounds: Bounds = { min: 0, max: 6, names: DAYS };

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** A longer one is no schedule that anybody wrote. */
const MAX_LENGTH = 4096;

/** Reads a schedule as CronJobs have it. Throws {@link CronScheduleError}. */
export function parseCronSchedule(text: string): CronSchedule {
  if (text.length === 0) throw new CronScheduleError('empty spec string');
  if (text.length > MAX_LENGTH) throw new CronScheduleError(`spec string is longer than ${MAX_LENGTH} characters`);
  const { timeZone, rest } = splitTimeZone(text);
  if (rest.startsWith('@every ')) return { type: 'every', periodMs: parseEvery(rest) };
  const spec = rest.startsWith('@') ? (own(DESCRIPTORS, rest) ?? unknownDescriptor(rest)) : rest;
  const fields = spec.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== 5)
    throw new CronScheduleError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  const daysOfMonth = parseField(day, dayBounds);
  const daysOfWeek = parseField(weekday, weekdayBounds);
  return {
    type: 'fields',
    minutes: parseField(minute, minuteBounds).values,
    hours: parseField(hour, hourBounds).values,
    daysOfMonth: daysOfMonth.values,
    months: parseField(month, monthBounds).values,
    daysOfWeek: daysOfWeek.values,
    isAnyDayOfMonth: daysOfMonth.isAny,
    isAnyDayOfWeek: daysOfWeek.isAny,
    timeZone,
  };
}

const own = (table: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

function unknownDescriptor(text: string): never {
  throw new CronScheduleError(`unrecognized descriptor: ${text}`);
}

function splitTimeZone(text: string): { timeZone: string | undefined; rest: string } {
  const match = /^(?:CRON_)?TZ=([^ ]*)(?: (.*))?$/s.exec(text);
  if (!match) return { timeZone: undefined, rest: text };
  const timeZone = match[1] ?? '';
  if (timeZone !== '' && !isTimeZone(timeZone))
    throw new CronScheduleError(`provided bad location ${timeZone}: unknown time zone ${timeZone}`);
  return { timeZone: timeZone || 'UTC', rest: (match[2] ?? '').trim() };
}

/** Whether a name of the IANA database is known here. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function parseField(field: string, bounds: Bounds): { values: ReadonlySet<number>; isAny: boolean } {
  const values = new Set<number>();
  let isAny = false;
  for (const part of field.split(',')) {
    if (part === '') continue;
    const range = parseRange(part, bounds);
    isAny ||= range.isAny;
    for (let value = range.start; value <= range.end; value += range.step) values.add(value);
  }
  return { values, isAny };
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly isAny: boolean;
}

function parseRange(text: string, bounds: Bounds): Range {
  const [range = '', stepText, ...more] = text.split('/');
  const limits = range.split('-');
  let [start, end] = [bounds.min, bounds.max];
  let isAny = limits[0] === '*' || limits[0] === '?';
  if (!isAny) {
    start = parseValue(limits[0] ?? '', bounds);
    if (limits.length > 2) throw new CronScheduleError(`too many hyphens: ${text}`);
    end = limits.length === 2 ? parseValue(limits[1] ?? '', bounds) : start;
  }
  if (more.length > 0) throw new CronScheduleError(`too many slashes: ${text}`);
  let step = 1;
  if (stepText !== undefined) {
    step = parseNumber(stepText);
    // "N/step" means "N-max/step".
    if (limits.length === 1) end = bounds.max;
    if (step > 1) isAny = false;
  }
  if (start < bounds.min)
    throw new CronScheduleError(`beginning of range (${start}) below minimum (${bounds.min}): ${text}`);
  if (end > bounds.max) throw new CronScheduleError(`end of range (${end}) above maximum (${bounds.max}): ${text}`);
  if (start > end) throw new CronScheduleError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new CronScheduleError(`step of range should be a positive number: ${text}`);
  return { start, end, step, isAny };
}

function parseValue(text: string, { names, min }: Bounds): number {
  const index = names?.indexOf(text.toLowerCase()) ?? -1;
  return index >= 0 ? index + min : parseNumber(text);
}

function parseNumber(text: string): number {
  const quoted = JSON.stringify(text);
  if (!/^[+-]?\d+$/.test(text))
    throw new CronScheduleError(`failed to parse int from ${text}: strconv.Atoi: parsing ${quoted}: invalid syntax`);
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new CronScheduleError(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${quoted}: value out of range`,
    );
  if (value < 0) throw new CronScheduleError(`negative number (${value}) not allowed: ${text}`);
  return value;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** At least one second, in whole seconds. */
function parseEvery(text: string): number {
  const given = text.slice('@every '.length);
  if (!/^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(given))
    throw new CronScheduleError(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(given)}`);
  let totalMs = 0;
  for (const [, amount, unit] of given.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g))
    totalMs += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  return Math.max(1000, Math.floor((given.startsWith('-') ? 0 : totalMs) / 1000) * 1000);
}

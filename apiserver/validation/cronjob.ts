import type { CronJob, CronJobSpec } from '../../shared/api/generated/types.js';
import { CronScheduleError, isTimeZone, parseCronSchedule } from '../../shared/api/cron-schedule.js';
import { append, invalid, notNegative, notSupported, oneOf, required, type FieldError } from './field-error.js';
import { validateJobSpec } from './job.js';

/** The controller appends a dash and ten digits to the names of its jobs, which have at most 63 characters. */
const MAX_NAME = 52;

export function validateCronJob({ metadata, spec }: CronJob): FieldError[] {
  const errors = spec ? validateSpec(spec, undefined) : [required('spec')];
  if ((metadata.name ?? '').length > MAX_NAME)
    errors.push(invalid('metadata.name', metadata.name, `must be no more than ${MAX_NAME} characters`));
  return errors;
}

export function validateCronJobUpdate({ spec }: CronJob, old: CronJob): FieldError[] {
  return spec ? validateSpec(spec, old.spec) : [required('spec')];
}

function validateSpec(spec: CronJobSpec, old: CronJobSpec | undefined): FieldError[] {
  const errors = validateSchedule(spec, old, 'spec.schedule');
  append(errors, notNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds));
  if (spec.timeZone !== undefined && spec.timeZone !== old?.timeZone)
    append(errors, validateTimeZone(spec.timeZone, 'spec.timeZone'));
  append(errors, oneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']));
  append(errors, validateTemplate(spec, 'spec.jobTemplate.spec'));
  append(errors, notNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit));
  append(errors, notNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit));
  return errors;
}

function validateSchedule(
  { schedule, timeZone }: CronJobSpec,
  old: CronJobSpec | undefined,
  path: string,
): FieldError[] {
  if (!schedule) return [required(path)];
  const problem = scheduleProblem(schedule);
  const errors = problem === undefined ? [] : [invalid(path, schedule, problem)];
  if (!schedule.includes('TZ')) return errors;
  if (!old?.schedule.includes('TZ'))
    errors.push(invalid(path, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
  else if (timeZone !== undefined)
    errors.push(invalid(path, schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'));
  return errors;
}

function scheduleProblem(schedule: string): string | undefined {
  try {
    parseCronSchedule(schedule);
    return undefined;
  } catch (error) {
    if (error instanceof CronScheduleError) return error.message;
    throw error;
  }
}

function validateTimeZone(timeZone: string, path: string): FieldError[] {
  if (timeZone === '') return [invalid(path, timeZone, 'timeZone must be nil or non-empty string')];
  const unknown = invalid(path, timeZone, `unknown time zone ${timeZone}`);
  const isName = (part: string): boolean =>
    part !== '.' && part !== '..' && !part.startsWith('-') && /^[A-Za-z.\-_0-9+]{1,14}$/.test(part);
  if (!timeZone.split('/').every(isName)) return [unknown];
  if (timeZone.toLowerCase() === 'local') {
    const text = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    return [invalid(path, timeZone, text)];
  }
  return isTimeZone(timeZone) ? [] : [unknown];
}

function validateTemplate({ jobTemplate }: CronJobSpec, path: string): FieldError[] {
  const spec = jobTemplate?.spec;
  if (!spec?.template) return [required(`${path}.template`)];
  const errors = validateJobSpec(spec, path);
  if (spec.selector) errors.push(invalid(`${path}.selector`, spec.selector, '`selector` will be auto-generated'));
  if (spec.manualSelector) errors.push(notSupported(`${path}.manualSelector`, spec.manualSelector, ['nil', 'false']));
  return errors;
}

import { humanAge } from '../../shared/api/duration.js';
import { cronjobs } from '../../shared/api/generated/resources.js';
import type { CronJob } from '../../shared/api/generated/types.js';
import { validateCronJob, validateCronJobUpdate } from '../validation/cronjob.js';
import { ageColumn, column, nameColumn, orNone } from './column.js';
import { jobSpecWarnings, setJobTemplateDefaults } from './job-template.js';
import { defineKind } from './kind.js';
import { nameWarnings } from './pod-warnings.js';
import { workloadColumns } from './workload-columns.js';

export const cronJobDefinition = defineKind<CronJob>({
  resource: cronjobs,
  shortNames: ['cj'],
  categories: ['all'],
  subresources: ['status'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Schedule', ({ spec }) => spec?.schedule ?? '', {
      description: 'The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron.',
    }),
    column('Timezone', ({ spec }) => orNone(spec?.timeZone), {
      description:
        'The time zone name for the given schedule, see https://en.wikipedia.org/wiki/List_of_tz_database_time_zones.',
    }),
    column('Suspend', ({ spec }) => (spec?.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False'), {
      type: 'boolean',
      description:
        'This flag tells the controller to suspend subsequent executions, it does not apply to already started executions. Defaults to false.',
    }),
    column('Active', ({ status }) => (status?.active ?? []).length, {
      type: 'integer',
      description: 'A list of pointers to currently running jobs.',
    }),
    column(
      'Last Schedule',
      ({ status }, nowMs) => (status?.lastScheduleTime ? humanAge(status.lastScheduleTime, nowMs) : '<none>'),
      { description: 'Information when was the last time the job was successfully scheduled.' },
    ),
    ageColumn(),
    ...workloadColumns<CronJob>(({ spec }) => spec?.jobTemplate?.spec),
  ],
  strategy: {
    defaults: setDefaults,
    prepareForCreate: (cronJob) => {
      cronJob.status = {};
    },
    prepareForUpdate: (cronJob, old) => {
      if (old.status) cronJob.status = old.status;
    },
    prepareForStatusUpdate: (cronJob, old) => {
      if (old.spec) cronJob.spec = old.spec;
    },
    validate: validateCronJob,
    validateUpdate: validateCronJobUpdate,
    warnings: (cronJob, old) => [
      ...(old ? [] : nameWarnings(cronJob.metadata.name, 'Pod names and hostnames')),
      ...jobSpecWarnings(cronJob.spec?.jobTemplate?.spec, 'spec.jobTemplate.spec'),
      ...(cronJob.spec?.schedule?.includes('TZ')
        ? [
            'CRON_TZ or TZ used in spec.schedule, this is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
          ]
        : []),
    ],
  },
});

function setDefaults(cronJob: CronJob): void {
  const spec = (cronJob.spec ??= {} as NonNullable<CronJob['spec']>);
  spec.jobTemplate ??= {};
  spec.jobTemplate.spec ??= {} as NonNullable<CronJob['spec']['jobTemplate']['spec']>;
  setJobTemplateDefaults(spec.jobTemplate.spec);
  spec.concurrencyPolicy ||= 'Allow';
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
}

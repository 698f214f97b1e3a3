import { isConditionTrue } from '../../shared/api/condition.js';
import { humanDuration } from '../../shared/api/duration.js';
import { jobs } from '../../shared/api/generated/resources.js';
import type { Job } from '../../shared/api/generated/types.js';
import { JOB_NAME_LABELS, JOB_UID_LABELS, validateJob, validateJobUpdate } from '../validation/job.js';
import { validateJobStatus } from '../validation/job-status.js';
import { ageColumn, column, nameColumn } from './column.js';
import { jobSpecWarnings, setJobTemplateDefaults } from './job-template.js';
import { defineKind } from './kind.js';
import { nameWarnings } from './pod-warnings.js';
import { workloadColumns } from './workload-columns.js';

export const jobDefinition = defineKind<Job>({
  resource: jobs,
  categories: ['all'],
  subresources: ['status'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Status', statusText, { description: 'Status of the job.' }),
    column('Completions', completionsText, {
      description:
        'The number of pods which reached phase Succeeded. The value increases monotonically for a given spec.',
    }),
    column('Duration', durationText, { description: 'Time required to complete the job.' }),
    ageColumn(),
    ...workloadColumns<Job>(),
  ],
  selectableFields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  orphansByDefault: {
    warning:
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  },
  strategy: {
    defaults: setDefaults,
    prepareForCreate: (job) => {
      job.status = {};
      generateSelector(job);
      copyTemplateLabels(job);
    },
    prepareForUpdate: (job, old) => {
      if (old.status) job.status = old.status;
    },
    prepareForStatusUpdate: (job, old) => {
      if (old.spec) job.spec = old.spec;
    },
    validate: validateJob,
    validateUpdate: validateJobUpdate,
    validateStatusUpdate: validateJobStatus,
    warnings: (job, old) => [
      ...(old ? [] : nameWarnings(job.metadata.name, 'Pod names and hostnames')),
      ...jobSpecWarnings(job.spec, 'spec'),
    ],
  },
});

function setDefaults(job: Job): void {
  const spec = (job.spec ??= {} as NonNullable<Job['spec']>);
  setJobTemplateDefaults(spec);
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 0x7fffffff;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
  copyTemplateLabels(job);
}

/** A job without labels of its own has those of its pods. */
function copyTemplateLabels({ metadata, spec }: Job): void {
  const labels = spec?.template.metadata?.labels;
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
}

/** A selector by uid, so that no two jobs ever share pods. What the client set stays, and validation judges it. */
function generateSelector({ metadata, spec }: Job): void {
  if (!spec || spec.manualSelector) return;
  const template = (spec.template.metadata ??= {});
  const labels = { ...template.labels };
  for (const label of JOB_NAME_LABELS) labels[label] ??= metadata.name;
  for (const label of JOB_UID_LABELS) labels[label] ??= metadata.uid;
  template.labels = labels;
  const [, uidLabel] = JOB_UID_LABELS;
  const { matchLabels = {} } = spec.selector ?? {};
  spec.selector = {
    ...spec.selector,
    matchLabels: { ...matchLabels, [uidLabel]: matchLabels[uidLabel] ?? metadata.uid },
  };
}

function statusText({ metadata, status }: Job): string {
  const is = (type: string): boolean => isConditionTrue(status?.conditions, type);
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (metadata.deletionTimestamp) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(is) ?? 'Running';
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, nowMs: number): string {
  if (status?.startTime === undefined) return '';
  const endMs = status.completionTime === undefined ? nowMs : Date.parse(status.completionTime);
  return humanDuration(endMs - Date.parse(status.startTime));
}

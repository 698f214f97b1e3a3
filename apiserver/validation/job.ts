import type { Affinity, Container, Job, JobSpec, PodTemplateSpec } from '../../shared/api/generated/types.js';
import { isConditionTrue } from '../../shared/api/condition.js';
import { equal } from './equality.js';
import { append, invalid, invalidEach, notNegative, notSupported, required, type FieldError } from './field-error.js';
import { validatePodFailurePolicy, validateSuccessPolicy } from './job-policy.js';
import { validateLabelSelector } from './label-selector.js';
import { isDns1123Label, isDomainPrefixedPath } from './names.js';
import { validateImmutable } from './object-meta.js';
import { validatePodTemplate } from './pod-spec.js';
import { isSelecting } from './workload.js';

const MAX_INDEXED = 100_000;
const MANY_COMPLETIONS = 100_000;
const LIMIT_FOR_MANY = 10_000;

/** Labels with which a generated selector finds the pods of one job; the short ones are older. */
export const JOB_UID_LABELS = ['controller-uid', 'batch.kubernetes.io/controller-uid'] as const;
export const JOB_NAME_LABELS = ['job-name', 'batch.kubernetes.io/job-name'] as const;

export function validateJob(job: Job): FieldError[] {
  const { spec } = job;
  if (!spec) return [required('spec')];
  if (!spec.template) return [required('spec.template')];
  const errors = validateGeneratedSelector(job, spec);
  append(errors, validateSelectingSpec(spec));
  const { name } = job.metadata;
  if (spec.completionMode === 'Indexed' && (spec.completions ?? 0) > 0) {
    const hostname = `${name}-${(spec.completions ?? 0) - 1}`;
    if (isDns1123Label(hostname).length > 0)
      errors.push(invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${hostname}`));
  }
  return errors;
}

/** A selector that the server made must be as it makes them: another one might find the pods of other jobs. */
function validateGeneratedSelector({ metadata }: Job, spec: JobSpec): FieldError[] {
  if (spec.manualSelector || !spec.selector) return [];
  const { uid, name } = metadata;
  const expected: [string, string][] = [
    ...JOB_UID_LABELS.map((label): [string, string] => [label, uid]),
    ...JOB_NAME_LABELS.map((label): [string, string] => [label, name]),
  ];
  const labels = spec.template.metadata?.labels ?? {};
  const errors = expected.flatMap(([label, value]) => {
    const path = 'spec.template.metadata.labels';
    const found = Object.hasOwn(labels, label) ? labels[label] : undefined;
    if (found === undefined) return [required(`${path}[${label}]`, `must be '${value}'`)];
    return found === value ? [] : [invalid(`${path}[${label}]`, labels, `must be '${value}'`)];
  });
  if (!isSelecting(spec.selector, Object.fromEntries(expected)))
    errors.push(invalid('spec.selector', spec.selector, '`selector` not auto-generated'));
  return errors;
}

function validateSelectingSpec(spec: JobSpec): FieldError[] {
  const errors = validateJobSpec(spec, 'spec');
  if (!spec.selector) errors.push(required('spec.selector'));
  else append(errors, validateLabelSelector(spec.selector, 'spec.selector'));
  const labels = spec.template.metadata?.labels;
  if (!isSelecting(spec.selector, labels))
    errors.push(
      invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'),
    );
  return errors;
}

/** What holds for jobs and for the templates of cron jobs. */
export function validateJobSpec(spec: JobSpec, path: string): FieldError[] {
  const counts = [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const;
  const errors = counts.flatMap((field) => notNegative(`${path}.${field}`, spec[field]));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  if (spec.managedBy !== undefined) append(errors, validateManagedBy(spec.managedBy, `${path}.managedBy`));
  append(errors, validateCompletionMode(spec, path));
  if (spec.podFailurePolicy) append(errors, validatePodFailurePolicy(spec, `${path}.podFailurePolicy`));
  append(errors, validateSuccessPolicy(spec, `${path}.successPolicy`));
  const replacements = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  if (spec.podReplacementPolicy !== undefined && !replacements.includes(spec.podReplacementPolicy))
    errors.push(notSupported(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, replacements));
  append(errors, validatePodTemplate(spec.template, `${path}.template`));
  append(errors, validateRestartPolicy(spec, `${path}.template.spec.restartPolicy`));
  return errors;
}

function validateManagedBy(value: string, path: string): FieldError[] {
  const errors = invalidEach(path, value, isDomainPrefixedPath(value));
  if (value.length > 63)
    errors.push({ type: 'FieldValueTooLong', path, message: 'Too long: may not be more than 63 bytes' });
  return errors;
}

function validateCompletionMode(spec: JobSpec, path: string): FieldError[] {
  const { completionMode: mode = 'NonIndexed' } = spec;
  if (mode === 'Indexed') return validateIndexed(spec, path);
  if (mode !== 'NonIndexed') return [notSupported(`${path}.completionMode`, mode, ['NonIndexed', 'Indexed'])];
  return (['backoffLimitPerIndex', 'maxFailedIndexes'] as const).flatMap((field) =>
    spec[field] === undefined ? [] : [invalid(`${path}.${field}`, spec[field], 'requires indexed completion mode')],
  );
}

function validateIndexed(spec: JobSpec, path: string): FieldError[] {
  const { completions, parallelism, maxFailedIndexes: failed, backoffLimitPerIndex } = spec;
  const errors: FieldError[] = [];
  const atMost = (field: 'parallelism' | 'maxFailedIndexes', limit: number, when = ''): void => {
    const value = spec[field];
    if (value !== undefined && value > limit)
      errors.push(invalid(`${path}.${field}`, value, `must be less than or equal to ${limit}${when}`));
  };
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'));
  if (parallelism !== undefined) atMost('parallelism', MAX_INDEXED, ' when completion mode is Indexed');
  if (completions !== undefined && failed !== undefined && failed > completions)
    errors.push(invalid(`${path}.maxFailedIndexes`, failed, 'must be less than or equal to completions'));
  atMost('maxFailedIndexes', MAX_INDEXED);
  if ((completions ?? 0) > MANY_COMPLETIONS && backoffLimitPerIndex !== undefined) {
    const when = ` when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
    if (failed === undefined)
      errors.push(
        required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${MANY_COMPLETIONS}`),
      );
    atMost('parallelism', LIMIT_FOR_MANY, when);
    atMost('maxFailedIndexes', LIMIT_FOR_MANY, when);
  }
  return errors;
}

/** What runs to completion cannot be restarted for ever. */
function validateRestartPolicy({ template, podFailurePolicy }: JobSpec, path: string): FieldError[] {
  const { restartPolicy: policy = '' } = template.spec;
  if (policy === '' || policy === 'Always') return [required(path, 'valid values: "OnFailure", "Never"')];
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupported(path, policy, ['OnFailure', 'Never'])];
  return podFailurePolicy && policy !== 'Never'
    ? [invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    : [];
}

const IMMUTABLE = ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const;

export function validateJobUpdate(job: Job, old: Job): FieldError[] {
  const { spec } = job;
  if (!spec?.template) return [required('spec.template')];
  const errors = validateSelectingSpec(spec);
  append(errors, validateCompletionsUpdate(spec, old.spec));
  append(errors, validateImmutable(spec.selector, old.spec?.selector, 'spec.selector'));
  append(errors, validateTemplateUpdate(spec.template, old));
  for (const field of IMMUTABLE) append(errors, validateImmutable(spec[field], old.spec?.[field], `spec.${field}`));
  return errors;
}

/** An indexed job may grow and shrink, together with its parallelism. */
function validateCompletionsUpdate(spec: JobSpec, old: JobSpec | undefined): FieldError[] {
  const path = 'spec.completions';
  if (spec.completionMode !== 'Indexed') return validateImmutable(spec.completions, old?.completions, path);
  if (spec.completions === undefined || spec.completions === old?.completions) return [];
  return spec.completions === spec.parallelism
    ? []
    : [invalid(path, spec.completions, 'can only be modified in tandem with spec.parallelism')];
}

/** Where pods go, and what they get, may change as long as the job is suspended and none of them runs. */
function validateTemplateUpdate(template: PodTemplateSpec, old: Job): FieldError[] {
  const before = old.spec?.template;
  if (!before) return [];
  const isMutable = isSuspended(old);
  const isSame = isMutable ? equal(fixed(template, template), fixed(before, template)) : equal(template, before);
  return isSame ? [] : [invalid('spec.template', template, 'field is immutable')];
}

function isSuspended({ spec, status }: Job): boolean {
  if (!spec?.suspend) return false;
  return status?.startTime === undefined || (isConditionTrue(status.conditions, 'Suspended') && !status.active);
}

/** The template with what may change taken from `given`. */
function fixed(template: PodTemplateSpec, given: PodTemplateSpec): object {
  const {
    affinity,
    nodeSelector: _selector,
    tolerations: _tolerations,
    schedulingGates: _gates,
    ...rest
  } = template.spec;
  const { labels: _labels, annotations: _annotations, ...metadata } = template.metadata ?? {};
  const withoutResources = (containers: readonly Container[] | undefined): object[] =>
    (containers ?? []).map(({ resources: _resources, ...container }) => container);
  return {
    metadata,
    spec: {
      ...rest,
      affinity: withoutNodeAffinity(affinity, given.spec.affinity),
      containers: withoutResources(template.spec.containers),
      initContainers: withoutResources(template.spec.initContainers),
    },
  };
}

function withoutNodeAffinity(affinity: Affinity | undefined, given: Affinity | undefined): object | undefined {
  const { nodeAffinity: _node, ...rest } = affinity ?? {};
  return given === undefined && Object.keys(rest).length === 0 ? undefined : rest;
}

import type { Job, JobStatus } from '../../shared/api/generated/types.js';
import { isConditionTrue } from '../../shared/api/condition.js';
import { append, duplicate, invalid, invalidWhole, notNegative, required, type FieldError } from './field-error.js';
import { indexesProblem, sharedIndex } from './job-indexes.js';
import { repeats } from './repeats.js';

type ConditionType = 'Complete' | 'Failed' | 'FailureTarget' | 'SuccessCriteriaMet';

/** What a controller may report of a job: counts that fit each other, and ends that are ends. */
export function validateJobStatus(job: Job, old: Job): FieldError[] {
  const status = job.status ?? {};
  return [
    ...(['active', 'succeeded', 'failed', 'ready', 'terminating'] as const).flatMap((field) =>
      notNegative(`status.${field}`, status[field]),
    ),
    ...validateUncounted(status),
    ...validateConditions(job, status),
    ...validateTimes(status),
    ...validateFinished(status),
    ...validateIndexes(job, status),
    ...validateProgress(job, old),
  ];
}

const has = (status: JobStatus | undefined, type: ConditionType): boolean => isConditionTrue(status?.conditions, type);

function validateUncounted({ uncountedTerminatedPods: pods }: JobStatus): FieldError[] {
  const uids = [...(pods?.succeeded ?? []), ...(pods?.failed ?? [])];
  const repeated = repeats(uids);
  const succeeded = (pods?.succeeded ?? []).length;
  return uids.flatMap((uid, index) => {
    const [list, position] = index < succeeded ? ['succeeded', index] : ['failed', index - succeeded];
    const path = `status.uncountedTerminatedPods.${list}[${position}]`;
    if (uid === '') return [invalid(path, uid, 'must not be empty')];
    return repeated.has(index) ? [duplicate(path, uid)] : [];
  });
}

function validateConditions({ spec }: Job, status: JobStatus): FieldError[] {
  const [isComplete, isFailed] = [has(status, 'Complete'), has(status, 'Failed')];
  const [isFailing, isSucceeding] = [has(status, 'FailureTarget'), has(status, 'SuccessCriteriaMet')];
  const rules: [isBroken: boolean, text: string][] = [
    [isComplete && isFailed, 'cannot set Complete=True and Failed=true conditions'],
    [isComplete && isFailing, 'cannot set Complete=True and FailureTarget=true conditions'],
    [isFailed && !isFailing, 'cannot set Failed=True condition without the FailureTarget=true condition'],
    [isComplete && !isSucceeding, 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition'],
    [isSucceeding && isFailed, 'cannot set SuccessCriteriaMet=True and Failed=true conditions'],
    [isSucceeding && isFailing, 'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions'],
    [
      spec?.successPolicy !== undefined && !isSucceeding && isComplete,
      'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True',
    ],
  ];
  return rules.flatMap(([isBroken, text]) => (isBroken ? [invalidWhole('status.conditions', text)] : []));
}

function validateTimes(status: JobStatus): FieldError[] {
  const { startTime, completionTime } = status;
  const path = 'status.completionTime';
  const isComplete = has(status, 'Complete');
  if (completionTime === undefined)
    return isComplete ? [required(path, 'completionTime is required for Complete jobs')] : [];
  const errors: FieldError[] = [];
  if (!isComplete)
    errors.push(invalid(path, completionTime, 'cannot set completionTime when there is no Complete=True condition'));
  if (startTime !== undefined && Date.parse(completionTime) < Date.parse(startTime))
    errors.push(invalid(path, completionTime, 'completionTime cannot be set before startTime'));
  return errors;
}

function validateFinished(status: JobStatus): FieldError[] {
  const { active = 0, ready, terminating = 0, uncountedTerminatedPods: uncounted } = status;
  const errors: FieldError[] = [];
  if (has(status, 'Complete') || has(status, 'Failed')) {
    if (active > 0) errors.push(invalid('status.active', active, 'active>0 is invalid for finished job'));
    if (status.startTime === undefined)
      errors.push(required('status.startTime', 'startTime is required for finished job'));
    if ((uncounted?.failed ?? []).length + (uncounted?.succeeded ?? []).length > 0)
      errors.push(
        invalid(
          'status.uncountedTerminatedPods',
          uncounted,
          'uncountedTerminatedPods needs to be empty for finished job',
        ),
      );
    if (terminating > 0)
      errors.push(invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'));
  }
  if (ready !== undefined && ready > active)
    errors.push(invalid('status.ready', ready, 'cannot set more ready pods than active'));
  return errors;
}

function validateIndexes({ spec }: Job, { completedIndexes = '', failedIndexes }: JobStatus): FieldError[] {
  const { completions, backoffLimitPerIndex, completionMode } = spec ?? {};
  const errors: FieldError[] = [];
  const problemOf = (indexes: string | undefined): string | undefined =>
    indexes === undefined || completions === undefined ? undefined : indexesProblem(indexes, completions);
  const completedProblem = problemOf(completedIndexes);
  const failedProblem = problemOf(failedIndexes);
  const [completedPath, failedPath] = ['status.completedIndexes', 'status.failedIndexes'];
  if (completedProblem !== undefined)
    errors.push(invalid(completedPath, completedIndexes, `error parsing completedIndexes: ${completedProblem}`));
  if (failedProblem !== undefined && backoffLimitPerIndex !== undefined)
    errors.push(invalid(failedPath, failedIndexes, `error parsing failedIndexes: ${failedProblem}`));
  if (completedIndexes !== '' && completionMode !== 'Indexed') {
    const text = 'cannot set non-empty completedIndexes when non-indexed completion mode';
    errors.push(invalid(completedPath, completedIndexes, text));
  }
  if (backoffLimitPerIndex === undefined && failedIndexes !== undefined) {
    const text = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
    errors.push(invalid(failedPath, failedIndexes, text));
  }
  const areGood = completedProblem === undefined && failedProblem === undefined;
  if (completions !== undefined && failedIndexes !== undefined && areGood) {
    const shared = sharedIndex(completedIndexes, failedIndexes, completions);
    if (shared !== undefined) {
      const text = `failedIndexes and completedIndexes overlap at index: ${shared}`;
      errors.push(invalid(failedPath, failedIndexes, text));
    }
  }
  return errors;
}

/** What has been reported stays true. */
function validateProgress({ spec, status = {} }: Job, { status: old = {} }: Job): FieldError[] {
  const errors: FieldError[] = [];
  for (const type of ['Failed', 'Complete', 'FailureTarget'] as const)
    if (has(old, type) && !has(status, type))
      errors.push(invalidWhole('status.conditions', `cannot disable the terminal ${type}=True condition`));
  for (const field of ['failed', 'succeeded'] as const)
    if ((status[field] ?? 0) < (old[field] ?? 0))
      errors.push(invalid(`status.${field}`, status[field] ?? 0, `cannot decrease the ${field} counter`));
  const { startTime, completionTime } = status;
  if (completionTime !== undefined && old.completionTime !== undefined && completionTime !== old.completionTime)
    errors.push(invalid('status.completionTime', completionTime, 'completionTime cannot be mutated'));
  if (old.startTime !== undefined && old.startTime !== startTime && !spec?.suspend)
    errors.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'));
  const [wasSucceeding, isSucceeding] = [has(old, 'SuccessCriteriaMet'), has(status, 'SuccessCriteriaMet')];
  if (wasSucceeding && !isSucceeding)
    errors.push(invalidWhole('status.conditions', 'cannot disable the SuccessCriteriaMet=True condition'));
  if (has(old, 'Complete') && !wasSucceeding && isSucceeding) {
    const text = 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions';
    append(errors, [invalidWhole('status.conditions', text)]);
  }
  return errors;
}

import type { JobSpec } from '../../shared/api/generated/types.js';
import { setPodTemplateDefaults } from './pod-defaults.js';
import { templateWarnings } from './pod-warnings.js';

/** What jobs and the templates of cron jobs have in common. */
export function setJobTemplateDefaults(spec: JobSpec): void {
  spec.template ??= { spec: { containers: [] } };
  setPodTemplateDefaults(spec.template);
  for (const { onPodConditions } of spec.podFailurePolicy?.rules ?? [])
    for (const pattern of onPodConditions ?? []) pattern.status ||= 'True';
}

export function jobSpecWarnings(spec: JobSpec | undefined, path: string): string[] {
  const { completionMode, completions = 0, parallelism = 0 } = spec ?? {};
  const found = templateWarnings(spec?.template, `${path}.template`);
  if (completionMode !== 'Indexed' || completions <= 100_000 || parallelism <= 10_000) return found;
  return [
    'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
    ...found,
  ];
}

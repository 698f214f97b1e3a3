import type { PodDisruptionBudget } from '../../shared/api/generated/types.js';
import { validateConditions } from './condition.js';
import { append, invalid, notNegative, notSupported, required, type FieldError } from './field-error.js';
import { validateLabelSelector } from './label-selector.js';
import { validateIntOrPercent, validateNotMoreThanAll } from './workload.js';

const POLICIES = ['AlwaysAllow', 'IfHealthyBudget'];

export function validatePodDisruptionBudget({ spec }: PodDisruptionBudget): FieldError[] {
  if (!spec) return [required('spec')];
  const errors: FieldError[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined)
    errors.push(invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  for (const field of ['minAvailable', 'maxUnavailable'] as const) {
    const value = spec[field];
    if (value === undefined) continue;
    append(errors, validateIntOrPercent(value, `spec.${field}`));
    append(errors, validateNotMoreThanAll(value, `spec.${field}`));
  }
  append(errors, validateLabelSelector(spec.selector, 'spec.selector'));
  const policy = spec.unhealthyPodEvictionPolicy;
  if (policy !== undefined && !POLICIES.includes(policy))
    errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, POLICIES));
  return errors;
}

export function validatePodDisruptionBudgetStatus({ status }: PodDisruptionBudget): FieldError[] {
  return [
    ...validateConditions(status?.conditions ?? [], 'status.conditions'),
    ...(['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const).flatMap((field) =>
      notNegative(`status.${field}`, status?.[field]),
    ),
  ];
}

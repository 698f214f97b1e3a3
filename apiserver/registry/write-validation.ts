import type { KubernetesObject } from '../../shared/api/object.js';
import { inSlices } from '../../shared/lifecycle/slices.js';
import type { FieldError } from '../validation/field-error.js';
import type { Strategy, Subresource } from './definition.js';
import type { UpdateMode } from './update-preparation.js';

type Faults = FieldError[] | Promise<FieldError[]>;

/** What is wrong with an object that is about to be created; a promise only where the check takes long. */
export function faultsOfNew(strategy: Strategy<KubernetesObject>, object: KubernetesObject): Faults {
  const steps = strategy.validateInSteps?.(object, undefined);
  return steps ? inSlices(steps) : (strategy.validate?.(object) ?? []);
}

/** The same of an object that is about to take the place of `old`. */
export function faultsOfUpdate(
  strategy: Strategy<KubernetesObject>,
  next: KubernetesObject,
  old: KubernetesObject,
  { subresource, skipsValidation = false }: UpdateMode,
): Faults {
  if (skipsValidation) return [];
  const steps = subresource === '' ? strategy.validateInSteps?.(next, old) : undefined;
  if (steps) return inSlices(steps);
  const part = strategy.validatePartUpdate?.[subresource as Subresource];
  const validate = subresource === 'status' ? strategy.validateStatusUpdate : (part ?? strategy.validateUpdate);
  return validate?.(next, old) ?? [];
}

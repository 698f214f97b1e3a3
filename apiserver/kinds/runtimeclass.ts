import { runtimeclasses } from '../../shared/api/generated/resources.js';
import type { RuntimeClass, Scheduling, Toleration } from '../../shared/api/generated/types.js';
import { append, duplicate, invalidEach, type FieldError } from '../validation/field-error.js';
import { isDns1123Label } from '../validation/names.js';
import { validateImmutable, validateLabels } from '../validation/object-meta.js';
import { repeats } from '../validation/repeats.js';
import { validateResources } from '../validation/resources.js';
import { validateTolerations } from '../validation/scheduling.js';
import { ageColumn, column, nameColumn } from './column.js';
import { canonicalizeQuantities } from './container-defaults.js';
import { defineKind } from './kind.js';

export const runtimeClassDefinition = defineKind<RuntimeClass>({
  resource: runtimeclasses,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn(),
    column('Handler', ({ handler }) => handler ?? '', {
      description: 'handler specifies the underlying runtime and configuration that runs pods of this class.',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: ({ overhead }) => canonicalizeQuantities(overhead?.podFixed),
    validate,
    validateUpdate: ({ handler }, old) => validateImmutable(handler, old.handler, 'handler'),
  },
});

function validate({ handler, overhead, scheduling }: RuntimeClass): FieldError[] {
  const errors = invalidEach('handler', handler, isDns1123Label(handler));
  if (overhead) append(errors, validateResources({ limits: overhead.podFixed ?? {} }, new Set(), 'overhead'));
  if (scheduling) append(errors, validateScheduling(scheduling));
  return errors;
}

function validateScheduling({ nodeSelector, tolerations = [] }: Scheduling): FieldError[] {
  const path = 'scheduling.tolerations';
  const errors = validateLabels(nodeSelector, 'scheduling.nodeSelector');
  append(errors, validateTolerations(tolerations, path));
  const keyOf = ({ key, operator, value, effect }: Toleration): string =>
    JSON.stringify([key, operator, value, effect]);
  for (const index of repeats(tolerations.map(keyOf))) errors.push(duplicate(`${path}[${index}]`, tolerations[index]));
  return errors;
}

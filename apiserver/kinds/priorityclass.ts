import { priorityclasses } from '../../shared/api/generated/resources.js';
import type { PriorityClass } from '../../shared/api/generated/types.js';
import {
  HIGHEST_USER_PRIORITY,
  PRIORITY_SYSTEM_CLUSTER_CRITICAL,
  PRIORITY_SYSTEM_NODE_CRITICAL,
  SYSTEM_CRITICAL_PRIORITY,
} from '../../shared/api/well-known.js';
import { forbidden, optionalOneOf, type FieldError } from '../validation/field-error.js';
import { validateImmutable } from '../validation/object-meta.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const priorityClassDefinition = defineKind<PriorityClass>({
  resource: priorityclasses,
  shortNames: ['pc'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Value', ({ value }) => value ?? 0, {
      type: 'integer',
      description: 'value represents the integer value of this priority class.',
    }),
    column('Global-Default', ({ globalDefault }) => globalDefault ?? false, {
      type: 'boolean',
      description:
        'globalDefault specifies whether this PriorityClass should be considered as the default priority for pods that do not have any priority class.',
    }),
    ageColumn(),
    column('PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? '', {
      description: 'preemptionPolicy is the Policy for preempting pods with lower priority.',
    }),
  ],
  strategy: {
    defaults: (priorityClass) => {
      priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
      priorityClass.value ??= 0;
    },
    validate,
    validateUpdate: (priorityClass, old) => [
      ...((priorityClass.value ?? 0) === (old.value ?? 0)
        ? []
        : [forbidden('value', 'may not be changed in an update.')]),
      ...validateImmutable(priorityClass.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy'),
    ],
  },
});

const SYSTEM_PREFIX = 'system-';
const SYSTEM_VALUES: Readonly<Record<string, number>> = {
  [PRIORITY_SYSTEM_CLUSTER_CRITICAL]: SYSTEM_CRITICAL_PRIORITY,
  [PRIORITY_SYSTEM_NODE_CRITICAL]: SYSTEM_CRITICAL_PRIORITY + 1000,
};

function validate({ metadata: { name }, value = 0, globalDefault, preemptionPolicy }: PriorityClass): FieldError[] {
  const errors = optionalOneOf('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']);
  if (!name.startsWith(SYSTEM_PREFIX)) {
    if (value > HIGHEST_USER_PRIORITY)
      errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`));
    return errors;
  }
  const problem = systemProblem(name, value, globalDefault ?? false);
  if (problem === undefined) return errors;
  const text = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${problem}`;
  return [...errors, forbidden('metadata.name', text)];
}

function systemProblem(name: string, value: number, isDefault: boolean): string | undefined {
  const known = Object.hasOwn(SYSTEM_VALUES, name) ? SYSTEM_VALUES[name] : undefined;
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return isDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

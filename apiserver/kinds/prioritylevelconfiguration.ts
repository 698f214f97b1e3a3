import { prioritylevelconfigurations } from '../../shared/api/generated/resources.js';
import type { PriorityLevelConfiguration, QueuingConfiguration } from '../../shared/api/generated/types.js';
import { equal } from '../validation/equality.js';
import { invalid, type FieldError } from '../validation/field-error.js';
import { validateConditions, validatePriorityLevel } from '../validation/flow-control.js';
import { ageColumn, column, nameColumn } from './column.js';
import { MANDATORY_PRIORITY_LEVELS } from './flow-objects.js';
import { defineKind } from './kind.js';

export const priorityLevelConfigurationDefinition = defineKind<PriorityLevelConfiguration>({
  resource: prioritylevelconfigurations,
  subresources: ['status'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn(),
    column('Type', ({ spec }) => spec.type, {
      description: '`type` indicates whether this priority level is subject to limitation on request execution.',
    }),
    column('NominalConcurrencyShares', ({ spec }) => spec.limited?.nominalConcurrencyShares ?? '<none>', {
      description:
        "`nominalConcurrencyShares` (NCS) contributes to the computation of the NominalConcurrencyLimit (NominalCL) of this level. This is the number of execution seats available at this priority level. This is used both for requests dispatched from this priority level as well as requests dispatched from other priority levels borrowing seats from this level. The server's concurrency limit (ServerCL) is divided among the Limited priority levels in proportion to their NCS values.",
    }),
    queueColumn('Queues', 'queues', '`queues` is the number of queues for this priority level.'),
    queueColumn(
      'HandSize',
      'handSize',
      '`handSize` is a small positive number that configures the shuffle sharding of requests into queues.',
    ),
    queueColumn(
      'QueueLengthLimit',
      'queueLengthLimit',
      '`queueLengthLimit` is the maximum number of requests allowed to be waiting in a given queue of this priority level at a time; excess requests are rejected.',
    ),
    ageColumn(),
  ],
  strategy: {
    defaults: setDefaults,
    prepareForCreate: (level) => {
      level.status = {};
    },
    validate,
    validateStatusUpdate: ({ status }) => validateConditions(status?.conditions ?? []),
  },
});

function queueColumn(
  name: string,
  field: keyof QueuingConfiguration,
  description: string,
): ReturnType<typeof column<PriorityLevelConfiguration>> {
  return column(name, ({ spec }) => spec.limited?.limitResponse?.queuing?.[field] ?? '<none>', { description });
}

function setDefaults(level: PriorityLevelConfiguration): void {
  const spec = (level.spec ??= { type: '' });
  if (spec.type === 'Exempt') spec.exempt ??= {};
  if (spec.exempt) {
    spec.exempt.nominalConcurrencyShares ??= 0;
    spec.exempt.lendablePercent ??= 0;
  }
  if (!spec.limited) return;
  spec.limited.nominalConcurrencyShares ??= 30;
  spec.limited.lendablePercent ??= 0;
  const queuing = spec.limited.limitResponse?.queuing;
  if (!queuing) return;
  queuing.queues ||= 64;
  queuing.handSize ||= 8;
  queuing.queueLengthLimit ||= 50;
}

/** How much the exempt level lends is for the operators to say. */
function validate(level: PriorityLevelConfiguration): FieldError[] {
  const errors = validatePriorityLevel(level);
  const { name } = level.metadata;
  const fixed = Object.hasOwn(MANDATORY_PRIORITY_LEVELS, name) ? MANDATORY_PRIORITY_LEVELS[name] : undefined;
  if (!fixed) return errors;
  const isExempt = name === 'exempt';
  const given = isExempt ? { ...level.spec, exempt: fixed.exempt } : level.spec;
  const text = isExempt
    ? `spec of '${name}' except the 'spec.exempt' field must equal the fixed value`
    : `spec of '${name}' must equal the fixed value`;
  return equal(given, fixed) ? errors : [...errors, invalid('spec', level.spec, text)];
}

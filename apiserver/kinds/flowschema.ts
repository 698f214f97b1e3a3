import { flowschemas } from '../../shared/api/generated/resources.js';
import type { FlowSchema } from '../../shared/api/generated/types.js';
import { equal } from '../validation/equality.js';
import { invalid, type FieldError } from '../validation/field-error.js';
import { validateConditions, validateFlowSchema } from '../validation/flow-control.js';
import { ageColumn, column, nameColumn } from './column.js';
import { MANDATORY_FLOW_SCHEMAS } from './flow-objects.js';
import { defineKind } from './kind.js';

export const flowSchemaDefinition = defineKind<FlowSchema>({
  resource: flowschemas,
  subresources: ['status'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn(),
    column('PriorityLevel', ({ spec }) => spec.priorityLevelConfiguration?.name ?? '', {
      description: '`name` is the name of the priority level configuration being referenced Required.',
    }),
    column('MatchingPrecedence', ({ spec }) => spec.matchingPrecedence ?? 0, {
      description:
        '`matchingPrecedence` is used to choose among the FlowSchemas that match a given request. The chosen FlowSchema is among those with the numerically lowest (which we take to be logically highest) MatchingPrecedence.',
    }),
    column('DistinguisherMethod', ({ spec }) => spec.distinguisherMethod?.type ?? '<none>', {
      description:
        '`distinguisherMethod` defines how to compute the flow distinguisher for requests that match this schema.',
    }),
    ageColumn(),
    column('MissingPL', missingLevel, {
      description: 'references a broken or non-existent PriorityLevelConfiguration',
    }),
  ],
  compareRows: (a, b) =>
    (a.spec.matchingPrecedence ?? 0) - (b.spec.matchingPrecedence ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1),
  strategy: {
    defaults: (flowSchema) => {
      const spec = (flowSchema.spec ??= { priorityLevelConfiguration: { name: '' } });
      spec.matchingPrecedence ||= 1000;
    },
    prepareForCreate: (flowSchema) => {
      flowSchema.status = {};
    },
    validate,
    validateStatusUpdate: ({ status }) => validateConditions(status?.conditions ?? []),
  },
});

function validate(flowSchema: FlowSchema): FieldError[] {
  const errors = validateFlowSchema(flowSchema);
  const { name } = flowSchema.metadata;
  const fixed = Object.hasOwn(MANDATORY_FLOW_SCHEMAS, name) ? MANDATORY_FLOW_SCHEMAS[name] : undefined;
  if (fixed && !equal(flowSchema.spec, fixed))
    errors.push(invalid('spec', flowSchema.spec, `spec of '${name}' must equal the fixed value`));
  return errors;
}

function missingLevel({ status }: FlowSchema): string {
  return status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?';
}

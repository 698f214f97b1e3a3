import { componentstatuses } from '../../shared/api/generated/resources.js';
import type { ComponentCondition, ComponentStatus } from '../../shared/api/generated/types.js';
import { column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

/** Never stored: what the components say when they are asked. */
export const componentStatusDefinition = defineKind<ComponentStatus>({
  resource: componentstatuses,
  shortNames: ['cs'],
  columns: [
    nameColumn(),
    column('Status', (component) => statusText(healthOf(component)), {
      description: 'Status of the component conditions',
    }),
    column('Message', (component) => healthOf(component)?.message ?? '', {
      description: 'Message of the component conditions',
    }),
    column('Error', (component) => healthOf(component)?.error ?? '', {
      description: 'Error of the component conditions',
    }),
  ],
});

const healthOf = ({ conditions }: ComponentStatus): ComponentCondition | undefined =>
  conditions?.find(({ type }) => type === 'Healthy');

function statusText(condition: ComponentCondition | undefined): string {
  if (!condition) return 'Unknown';
  return condition.status === 'True' ? 'Healthy' : 'Unhealthy';
}

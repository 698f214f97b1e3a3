import { controllerrevisions } from '../../shared/api/generated/resources.js';
import type { ControllerRevision } from '../../shared/api/generated/types.js';
import { controllerOf } from '../../shared/api/owner.js';
import { notNegative, required } from '../validation/field-error.js';
import { validateImmutable } from '../validation/object-meta.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const controllerRevisionDefinition = defineKind<ControllerRevision>({
  resource: controllerrevisions,
  columns: [
    nameColumn(),
    column('Controller', controllerName, { description: 'Controller of the object' }),
    column('Revision', ({ revision }) => revision ?? 0, {
      description: 'Revision indicates the revision of the state represented by Data.',
    }),
    ageColumn(),
  ],
  strategy: {
    validate: ({ data, revision }) => [
      ...(data === undefined || data === null ? [required('data', 'data is mandatory')] : []),
      ...notNegative('revision', revision),
    ],
    validateUpdate: ({ data, revision }, old) => [
      ...notNegative('revision', revision),
      ...validateImmutable(data, old.data, 'data'),
    ],
  },
});

function controllerName(object: ControllerRevision): string {
  const controller = controllerOf(object);
  if (controller === undefined) return '<none>';
  const slash = controller.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : `.${controller.apiVersion.slice(0, slash)}`;
  return `${controller.kind.toLowerCase()}${group}/${controller.name}`;
}

import type { KubernetesObject } from '../../shared/api/object.js';
import type { ResourceDefinition, Strategy } from '../registry/definition.js';
import type { FieldError } from '../validation/field-error.js';
import { isDns1123Subdomain } from '../validation/names.js';
import { validateObjectMeta, validateObjectMetaUpdate } from '../validation/object-meta.js';
import { ageColumn, nameColumn } from './column.js';

type Given<T extends KubernetesObject> = Pick<ResourceDefinition<T>, 'resource'> &
  Partial<Omit<ResourceDefinition<T>, 'resource'>>;

/**
 * Completes a definition with what most kinds share. The strategy's validate, validateUpdate and validateStatusUpdate
 * are complete afterwards: they check the metadata too, so the registry calls exactly one of them per write.
 */
export function defineKind<T extends KubernetesObject>(given: Given<T>): ResourceDefinition<T> {
  const { resource } = given;
  return Object.freeze({
    singularName: resource.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    subresources: [],
    columns: [nameColumn<T>(), ageColumn<T>()],
    selectableFields: {},
    hasGeneration: false,
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: true,
    ...given,
    strategy: withMetadata(given.strategy ?? {}, resource.namespaced),
  });
}

function withMetadata<T extends KubernetesObject>(strategy: Strategy<T>, namespaced: boolean): Strategy<T> {
  const rules = { namespaced, validateName: strategy.validateName ?? isDns1123Subdomain };
  const none = (): FieldError[] => [];
  const { validate = none, validateUpdate = validate, validateStatusUpdate = none } = strategy;
  const { validatePartUpdate, validateInSteps } = strategy;
  const parts = Object.entries(validatePartUpdate ?? {}).map(([subresource, check]) => [
    subresource,
    (object: T, old: T): FieldError[] => [
      ...validateObjectMetaUpdate(object.metadata, old.metadata),
      ...check(object, old),
    ],
  ]);
  return {
    ...strategy,
    validateName: rules.validateName,
    ...(parts.length > 0 ? { validatePartUpdate: Object.fromEntries(parts) } : {}),
    ...(validateInSteps ? { validateInSteps: inSteps(validateInSteps, rules) } : {}),
    validate: (object) => [...validateObjectMeta(object.metadata, rules), ...validate(object)],
    validateUpdate: (object, old) => [
      ...validateObjectMetaUpdate(object.metadata, old.metadata),
      ...validateUpdate(object, old),
    ],
    validateStatusUpdate: (object, old) => [
      ...validateObjectMetaUpdate(object.metadata, old.metadata),
      ...validateStatusUpdate(object, old),
    ],
  };
}

type Steps<T> = NonNullable<Strategy<T>['validateInSteps']>;

function inSteps<T extends KubernetesObject>(
  validate: Steps<T>,
  rules: Parameters<typeof validateObjectMeta>[1],
): Steps<T> {
  return function* (object, old) {
    const errors = old
      ? validateObjectMetaUpdate(object.metadata, old.metadata)
      : validateObjectMeta(object.metadata, rules);
    return [...errors, ...(yield* validate(object, old))];
  };
}

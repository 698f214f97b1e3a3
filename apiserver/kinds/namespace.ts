import { namespaces } from '../../shared/api/generated/resources.js';
import type { Namespace } from '../../shared/api/generated/types.js';
import { FINALIZER_KUBERNETES, LABEL_NAMESPACE_NAME } from '../../shared/api/well-known.js';
import { invalid, type FieldError } from '../validation/field-error.js';
import { isDns1123Label } from '../validation/names.js';
import { validateFinalizers } from '../validation/object-meta.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const namespaceDefinition = defineKind<Namespace>({
  resource: namespaces,
  shortNames: ['ns'],
  subresources: ['status', 'finalize'],
  columns: [
    nameColumn(),
    column('Status', ({ status }) => status?.phase ?? '', { description: 'The status of the namespace' }),
    ageColumn(),
  ],
  finalization: {
    isPending: ({ spec }) => (spec?.finalizers ?? []).length > 0,
    onMarked: (namespace) => {
      namespace.status = { ...namespace.status, phase: 'Terminating' };
    },
  },
  selectableFields: { 'status.phase': ({ status }) => status?.phase ?? '' },
  strategy: {
    validateName: isDns1123Label,
    // The label lets selectors pick namespaces by name; a client cannot take it away.
    defaults: (namespace) => {
      const { name } = namespace.metadata;
      if (name) (namespace.metadata.labels ??= {})[LABEL_NAMESPACE_NAME] = name;
    },
    prepareForCreate: (namespace) => {
      namespace.status = { phase: 'Active' };
      const finalizers = namespace.spec?.finalizers ?? [];
      if (!finalizers.includes(FINALIZER_KUBERNETES)) finalizers.push(FINALIZER_KUBERNETES);
      namespace.spec = { ...namespace.spec, finalizers };
    },
    prepareForUpdate: (namespace, old) => {
      namespace.spec = old.spec;
      namespace.status = old.status;
    },
    prepareForStatusUpdate: (namespace, old) => {
      namespace.spec = old.spec;
    },
    validate: validateNamespaceFinalizers,
    validateStatusUpdate: validatePhase,
  },
});

const STANDARD_FINALIZERS = [FINALIZER_KUBERNETES, 'orphan', 'foregroundDeletion'];

/** Only /finalize changes them later. */
function validateNamespaceFinalizers({ spec }: Namespace): FieldError[] {
  const path = 'spec.finalizers';
  const finalizers = spec?.finalizers ?? [];
  const errors = finalizers.flatMap((name) => validateFinalizers([name], path));
  for (const name of finalizers)
    if (!name.includes('/') && !STANDARD_FINALIZERS.includes(name))
      errors.push(invalid(path, name, 'name is neither a standard finalizer name nor is it fully qualified'));
  return errors;
}

/** The phase tells whether the namespace is being deleted, and nothing else. */
function validatePhase({ metadata, status }: Namespace): FieldError[] {
  const phase = metadata.deletionTimestamp === undefined ? 'Active' : 'Terminating';
  if (status?.phase === phase) return [];
  const text =
    phase === 'Active'
      ? "may only be 'Active' if `deletionTimestamp` is empty"
      : "may only be 'Terminating' if `deletionTimestamp` is not empty";
  return [invalid('status.Phase', status?.phase ?? '', text)];
}

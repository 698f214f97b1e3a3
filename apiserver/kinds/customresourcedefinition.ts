import { customresourcedefinitions } from '../../shared/api/generated/resources.js';
import type { CustomResourceDefinition } from '../../shared/api/generated/types.js';
import { validateDefinition, validateDefinitionStatus, validateInSteps } from '../extension/definition-validation.js';
import { isTrue, setCondition } from '../extension/naming.js';
import type { Strategy } from '../registry/definition.js';
import { column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const CUSTOM_RESOURCE_CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

/** The rules of v1, or of the version before it. */
export function definitionStrategy(isOlder: boolean): Strategy<CustomResourceDefinition> {
  return {
    defaults: setDefaults,
    prepareForCreate: (crd) => {
      crd.status = { acceptedNames: { kind: '', plural: '' }, conditions: [], storedVersions: storageVersions(crd) };
    },
    prepareForUpdate: (crd) => {
      const stored = crd.status?.storedVersions ?? [];
      const missing = storageVersions(crd).filter((name) => !stored.includes(name));
      if (missing.length > 0) crd.status = { ...crd.status, storedVersions: [...stored, ...missing] };
    },
    validate: (crd) => validateDefinition(crd, undefined, isOlder),
    validateUpdate: (crd, old) => (isOnlyFinished(crd, old) ? [] : validateDefinition(crd, old, isOlder)),
    validateInSteps: function* (crd, old) {
      return old && isOnlyFinished(crd, old) ? [] : yield* validateInSteps(crd, old, isOlder);
    },
    validateStatusUpdate: validateDefinitionStatus,
  };
}

export const customResourceDefinitionDefinition = defineKind<CustomResourceDefinition>({
  resource: customresourcedefinitions,
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  subresources: ['status'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn(),
    column('Created At', ({ metadata }) => metadata.creationTimestamp ?? '', {
      type: 'date',
      description:
        'CreationTimestamp is a timestamp representing the server time when this object was created. It is represented in RFC3339 form and is in UTC.',
    }),
  ],
  finalization: {
    isPending: ({ metadata }) => metadata.deletionTimestamp === undefined,
    onMarked: (crd) => {
      const { metadata } = crd;
      const finalizers = metadata.finalizers ?? [];
      if (!finalizers.includes(CUSTOM_RESOURCE_CLEANUP)) metadata.finalizers = [...finalizers, CUSTOM_RESOURCE_CLEANUP];
      const conditions = [...(crd.status?.conditions ?? [])];
      const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon';
      const condition = { type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending', message };
      setCondition(conditions, condition, metadata.deletionTimestamp ?? '');
      crd.status = { ...crd.status, conditions };
    },
  },
  strategy: definitionStrategy(false),
});

/** What is going away is only finished. */
const isOnlyFinished = (crd: CustomResourceDefinition, old: CustomResourceDefinition): boolean =>
  isTrue(old.status?.conditions, 'Terminating') && JSON.stringify(crd.spec) === JSON.stringify(old.spec);

const storageVersions = ({ spec }: CustomResourceDefinition): string[] =>
  (spec?.versions ?? []).filter(({ storage }) => storage).map(({ name }) => name);

function setDefaults({ spec }: CustomResourceDefinition): void {
  if (!spec) return;
  const { names } = spec;
  if (names?.kind) {
    names.singular ||= names.kind.toLowerCase();
    names.listKind ||= `${names.kind}List`;
  }
  // The original writes these out, whatever they are.
  for (const version of spec.versions ?? []) {
    version.served ??= false;
    version.storage ??= false;
  }
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service) service.port ??= 443;
}

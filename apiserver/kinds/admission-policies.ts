import {
  mutatingadmissionpolicies,
  mutatingadmissionpolicybindings,
  validatingadmissionpolicies,
  validatingadmissionpolicybindings,
} from '../../shared/api/generated/resources.js';
import type {
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Column } from '../registry/definition.js';
import {
  validateMutatingPolicy,
  validatePolicyBinding,
  validatePolicyStatus,
  validateValidatingPolicy,
  validateValidationActions,
} from '../validation/admission-policy.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

const unset = '<unset>';

function setMatchDefaults(match: MatchResources | undefined): void {
  if (!match) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*';
}

const paramKindColumn = column<{ spec?: { paramKind?: ParamKind } }>(
  'ParamKind',
  ({ spec }) => (spec?.paramKind ? `${spec.paramKind.apiVersion ?? ''}/${spec.paramKind.kind ?? ''}` : unset),
  { description: 'ParamKind specifies the kind of resources used to parameterize this policy' },
);

export const validatingAdmissionPolicyDefinition = defineKind<ValidatingAdmissionPolicy>({
  resource: validatingadmissionpolicies,
  categories: ['api-extensions'],
  subresources: ['status'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Validations', ({ spec }) => spec?.validations?.length ?? 0, {
      type: 'integer',
      description: 'Validations indicates the number of validation rules defined in this configuration',
    }),
    paramKindColumn,
    ageColumn(),
  ],
  strategy: {
    defaults: ({ spec }) => {
      if (!spec) return;
      spec.failurePolicy ??= 'Fail';
      setMatchDefaults(spec.matchConstraints);
    },
    validate: ({ metadata, spec }) => validateValidatingPolicy(metadata.name, spec ?? {}),
    prepareForStatusUpdate: (policy, old) => {
      if (old.spec) policy.spec = old.spec;
    },
    validateStatusUpdate: ({ status }) => validatePolicyStatus(status),
  },
});

export const mutatingAdmissionPolicyDefinition = defineKind<MutatingAdmissionPolicy>({
  resource: mutatingadmissionpolicies,
  categories: ['api-extensions'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Mutations', ({ spec }) => spec?.mutations?.length ?? 0, {
      type: 'integer',
      description: 'Mutation indicates the number of mutations rules defined in this configuration',
    }),
    paramKindColumn,
    ageColumn(),
  ],
  strategy: {
    defaults: ({ spec }) => {
      if (!spec) return;
      spec.failurePolicy ??= 'Fail';
      setMatchDefaults(spec.matchConstraints);
    },
    validate: ({ spec }) => validateMutatingPolicy(spec ?? {}),
  },
});

interface Binding {
  spec?: { policyName?: string; paramRef?: ParamRef; matchResources?: MatchResources };
}

const bindingColumns = <T extends KubernetesObject & Binding>(): Column<T>[] => [
  nameColumn<T>(),
  column('PolicyName', ({ spec }: T) => spec?.policyName ?? '', {
    description: 'PolicyName indicates the policy definition which the policy binding binded to',
  }),
  column('ParamRef', ({ spec }: T) => paramText(spec?.paramRef), {
    description: 'ParamRef indicates the param resource which sets the configration param',
  }),
  ageColumn<T>(),
];

function paramText(ref: ParamRef | undefined): string {
  if (ref?.name) return `${ref.namespace ?? '*'}/${ref.name}`;
  return ref?.selector ? JSON.stringify(ref.selector) : unset;
}

function setBindingDefaults({ spec }: Binding): void {
  if (spec?.paramRef) spec.paramRef.parameterNotFoundAction ??= 'Deny';
  setMatchDefaults(spec?.matchResources);
}

export const validatingAdmissionPolicyBindingDefinition = defineKind<ValidatingAdmissionPolicyBinding>({
  resource: validatingadmissionpolicybindings,
  categories: ['api-extensions'],
  hasGeneration: true,
  columns: bindingColumns(),
  strategy: {
    defaults: setBindingDefaults,
    validate: ({ spec }) => [
      ...validatePolicyBinding(spec ?? {}),
      ...validateValidationActions(spec?.validationActions ?? []),
    ],
  },
});

export const mutatingAdmissionPolicyBindingDefinition = defineKind<MutatingAdmissionPolicyBinding>({
  resource: mutatingadmissionpolicybindings,
  categories: ['api-extensions'],
  hasGeneration: true,
  columns: bindingColumns(),
  strategy: { defaults: setBindingDefaults, validate: ({ spec }) => validatePolicyBinding(spec ?? {}) },
});

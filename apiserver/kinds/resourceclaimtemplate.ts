import { resourceclaimtemplates } from '../../shared/api/generated/resources.js';
import type { ResourceClaimTemplate } from '../../shared/api/generated/types.js';
import { validateAnnotations, validateImmutable, validateLabels } from '../validation/object-meta.js';
import { validateResourceClaimSpec } from '../validation/resource-claim.js';
import { forbidden, type FieldError } from '../validation/field-error.js';
import { setResourceClaimSpecDefaults } from './device-defaults.js';
import { defineKind } from './kind.js';

export const resourceClaimTemplateDefinition = defineKind<ResourceClaimTemplate>({
  resource: resourceclaimtemplates,
  strategy: {
    defaults: (template) => {
      template.spec ??= { spec: {} };
      setResourceClaimSpecDefaults((template.spec.spec ??= {}));
    },
    validate: ({ spec }) => [
      ...validateTemplateMetadata(spec.metadata ?? {}),
      ...validateResourceClaimSpec(spec.spec, 'spec.spec'),
    ],
    validateUpdate: ({ spec }, old) => validateImmutable(spec, old.spec, 'spec'),
  },
});

/** The claims get labels and annotations from it, and nothing else. */
function validateTemplateMetadata(metadata: NonNullable<ResourceClaimTemplate['spec']['metadata']>): FieldError[] {
  const { labels, annotations, ...others } = metadata;
  return [
    ...validateAnnotations(annotations, 'spec.metadata.annotations'),
    ...validateLabels(labels, 'spec.metadata.labels'),
    ...Object.keys(others).map((field) => forbidden(`spec.metadata.${field}`, 'cannot be set')),
  ];
}

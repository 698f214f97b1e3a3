import { resourceclaimtemplates } from '../../shared/api/generated/resources.js';
import type { ResourceClaimTemplate } from '../../shared/api/generated/types.js';
import { validateImmutable, validateTemplateMetadata } from '../validation/object-meta.js';
import { validateResourceClaimSpec } from '../validation/resource-claim.js';
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
      ...validateTemplateMetadata(spec.metadata ?? {}, 'spec.metadata'),
      ...validateResourceClaimSpec(spec.spec, 'spec.spec'),
    ],
    validateUpdate: ({ spec }, old) => validateImmutable(spec, old.spec, 'spec'),
  },
});

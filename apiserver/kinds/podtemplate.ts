import { podtemplates } from '../../shared/api/generated/resources.js';
import type { PodTemplate } from '../../shared/api/generated/types.js';
import { formatSelector, selectorOfMap } from '../../shared/api/selector.js';
import { validatePodTemplate } from '../validation/pod-spec.js';
import { column, nameColumn, orNone } from './column.js';
import { defineKind } from './kind.js';
import { setPodTemplateDefaults } from './pod-defaults.js';
import { templateWarnings } from './pod-warnings.js';

export const podTemplateDefinition = defineKind<PodTemplate>({
  resource: podtemplates,
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Containers', (object) => containers(object, 'name'), {
      description: 'Names of each container in the template.',
    }),
    column('Images', (object) => containers(object, 'image'), {
      description: 'Images referenced by each container in the template.',
    }),
    column('Pod Labels', ({ template }) => orNone(formatSelector(selectorOfMap(template?.metadata?.labels))), {
      description: 'The labels for the pod template.',
    }),
  ],
  strategy: {
    defaults: (object) => setPodTemplateDefaults((object.template ??= { spec: { containers: [] } })),
    validate: ({ template }) => validatePodTemplate(template ?? { spec: { containers: [] } }, 'template'),
    warnings: ({ template }) => templateWarnings(template, 'template'),
  },
});

function containers({ template }: PodTemplate, field: 'name' | 'image'): string {
  return (template?.spec.containers ?? []).map((container) => container[field] ?? '').join(',');
}

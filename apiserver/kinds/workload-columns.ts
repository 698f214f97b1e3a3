import type { LabelSelector, PodTemplateSpec } from '../../shared/api/generated/types.js';
import { formatLabelSelector } from '../../shared/api/selector.js';
import type { Column } from '../registry/definition.js';
import { wideColumn } from './column.js';

interface WorkloadSpec {
  readonly selector?: LabelSelector;
  readonly template?: PodTemplateSpec;
}

/** CONTAINERS, IMAGES and SELECTOR, which every kind that makes pods shows with -o wide; `specOf` finds selector and template. */
export function workloadColumns<T>(
  specOf: (object: T) => WorkloadSpec | undefined = (object) => (object as { spec?: WorkloadSpec }).spec,
): Column<T>[] {
  return [
    wideColumn('Containers', (object) => containers(specOf(object), 'name'), {
      description: 'Names of each container in the template.',
    }),
    wideColumn('Images', (object) => containers(specOf(object), 'image'), {
      description: 'Images referenced by each container in the template.',
    }),
    wideColumn('Selector', (object) => formatLabelSelector(specOf(object)?.selector), {
      description: 'Label selector for pods.',
    }),
  ];
}

function containers(spec: WorkloadSpec | undefined, field: 'name' | 'image'): string {
  return (spec?.template?.spec.containers ?? []).map((container) => container[field] ?? '').join(',');
}

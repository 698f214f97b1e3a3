import type { LabelSelector, PodTemplateSpec } from '../../shared/api/generated/types.js';
import { formatLabelSelector } from '../../shared/api/selector.js';
import type { Column } from '../registry/definition.js';
import { wideColumn } from './column.js';

interface Workload {
  readonly spec?: { readonly selector?: LabelSelector; readonly template?: PodTemplateSpec };
}

/** CONTAINERS, IMAGES and SELECTOR, which every kind that makes pods shows with -o wide. */
export function workloadColumns<T extends Workload>(): Column<T>[] {
  return [
    wideColumn('Containers', (object) => containers(object, 'name'), {
      description: 'Names of each container in the template.',
    }),
    wideColumn('Images', (object) => containers(object, 'image'), {
      description: 'Images referenced by each container in the template.',
    }),
    wideColumn('Selector', (object) => formatLabelSelector(object.spec?.selector), {
      description: 'Label selector for pods.',
    }),
  ];
}

function containers(object: Workload, field: 'name' | 'image'): string {
  return (object.spec?.template?.spec.containers ?? []).map((container) => container[field] ?? '').join(',');
}

import type { PodSpec, PodTemplateSpec, Toleration } from '../../shared/api/generated/types.js';
import { formatLabelSelector } from '../../shared/api/selector.js';
import { describeContainers } from './container.js';
import { addAnnotations, addLabels, sortedEntries } from './format.js';
import type { Lines } from './lines.js';
import { describeVolumes } from './volume.js';

const indent = '  ';

export function describePodTemplate(lines: Lines, template: PodTemplateSpec): void {
  lines.add(0, 'Pod Template:');
  addLabels(lines, `${indent}Labels:`, template.metadata?.labels);
  const { annotations } = template.metadata ?? {};
  if (Object.keys(annotations ?? {}).length > 0) addAnnotations(lines, `${indent}Annotations:`, annotations);
  const { spec } = template;
  if (!spec) return;
  if (spec.serviceAccountName) lines.add(0, `${indent}Service Account:`, spec.serviceAccountName);
  if (spec.initContainers?.length) describeContainers(lines, 'Init Containers', spec.initContainers, { indent });
  describeContainers(lines, 'Containers', spec.containers, { indent });
  describeVolumes(lines, spec.volumes ?? [], indent);
  describeSpread(lines, spec, indent);
  if (spec.priorityClassName) lines.add(0, `${indent}Priority Class Name:`, spec.priorityClassName);
  describePlacement(lines, spec, indent);
}

export function describePlacement(lines: Lines, spec: PodSpec, space: string): void {
  lines.addList(
    0,
    `${space}Node-Selectors:`,
    sortedEntries(spec.nodeSelector).map(([key, value]) => `${key}=${value}`),
  );
  const tolerations = (spec.tolerations ?? []).toSorted((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1));
  lines.addList(0, `${space}Tolerations:`, tolerations.map(tolerationText));
}

function tolerationText({ key = '', value = '', effect = '', operator, tolerationSeconds }: Toleration): string {
  const subject = `${key}${value === '' ? '' : `=${value}`}${effect === '' ? '' : `:${effect}`}`;
  const exists = operator === 'Exists' && value === '' ? `${subject === '' ? '' : ' '}op=Exists` : '';
  return `${subject}${exists}${tolerationSeconds === undefined ? '' : ` for ${tolerationSeconds}s`}`;
}

export function describeSpread(lines: Lines, spec: PodSpec, space: string): void {
  const constraints = spec.topologySpreadConstraints ?? [];
  if (constraints.length === 0) return;
  const texts = constraints.map(({ topologyKey, whenUnsatisfiable, maxSkew, labelSelector }) => {
    const selector = labelSelector ? ` for selector ${formatLabelSelector(labelSelector)}` : '';
    return `${topologyKey}:${whenUnsatisfiable} when max skew ${maxSkew} is exceeded${selector}`;
  });
  lines.addList(0, `${space}Topology Spread Constraints:`, texts.sort());
}

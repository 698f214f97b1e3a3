import type { Pod } from '../../shared/api/generated/types.js';
import { humanDuration } from '../../shared/api/duration.js';
import type { AnyMetadata } from '../server-api.js';
import { describeContainers } from './container.js';
import { addAnnotations, addLabels, controllerText, timeText } from './format.js';
import type { Lines } from './lines.js';
import { describePlacement, describeSpread } from './pod-template.js';
import { describeVolumes } from './volume.js';

export function describePod(lines: Lines, pod: Pod, nowMs: number): void {
  const { metadata, spec, status } = pod;
  lines.add(0, 'Name:', metadata.name);
  lines.add(0, 'Namespace:', metadata.namespace ?? '');
  if (spec.priority !== undefined) lines.add(0, 'Priority:', String(spec.priority));
  if (spec.priorityClassName) lines.add(0, 'Priority Class Name:', spec.priorityClassName);
  if (spec.runtimeClassName) lines.add(0, 'Runtime Class Name:', spec.runtimeClassName);
  if (spec.serviceAccountName) lines.add(0, 'Service Account:', spec.serviceAccountName);
  lines.add(0, 'Node:', spec.nodeName ? `${spec.nodeName}/${status?.hostIP ?? ''}` : '<none>');
  if (status?.startTime) lines.add(0, 'Start Time:', timeText(status.startTime));
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  describePhase(lines, pod, nowMs);
  lines.add(0, 'IP:', status?.podIP ?? '');
  const ips = status?.podIPs ?? [];
  lines.add(0, 'IPs:', ...(ips.length === 0 ? ['<none>'] : []));
  for (const { ip } of ips) lines.add(1, 'IP:', ip);
  const controller = controllerText(metadata as unknown as AnyMetadata);
  if (controller) lines.add(0, 'Controlled By:', controller);
  const shown = { pod, indent: '' };
  if (spec.initContainers?.length) {
    describeContainers(lines, 'Init Containers', spec.initContainers, {
      ...shown,
      statuses: status?.initContainerStatuses ?? [],
    });
  }
  describeContainers(lines, 'Containers', spec.containers, { ...shown, statuses: status?.containerStatuses ?? [] });
  if (spec.ephemeralContainers?.length) {
    describeContainers(lines, 'Ephemeral Containers', spec.ephemeralContainers, {
      ...shown,
      statuses: status?.ephemeralContainerStatuses ?? [],
    });
  }
  const conditions = status?.conditions ?? [];
  if (conditions.length > 0) {
    lines.add(0, 'Conditions:');
    lines.add(1, 'Type', 'Status');
    for (const condition of conditions) lines.add(1, `${condition.type} `, `${condition.status} `);
  }
  describeVolumes(lines, spec.volumes ?? [], '');
  lines.add(0, 'QoS Class:', status?.qosClass ?? '');
  describePlacement(lines, spec, '');
  describeSpread(lines, spec, '');
}

function describePhase(lines: Lines, { metadata, status }: Pod, nowMs: number): void {
  if (metadata.deletionTimestamp) {
    const lasts = humanDuration(nowMs - Date.parse(metadata.deletionTimestamp));
    lines.add(0, 'Status:', `Terminating (lasts ${lasts})`);
    lines.add(0, 'Termination Grace Period:', `${metadata.deletionGracePeriodSeconds ?? 0}s`);
  } else {
    lines.add(0, 'Status:', status?.phase ?? '');
  }
  if (status?.reason) lines.add(0, 'Reason:', status.reason);
  if (status?.message) lines.add(0, 'Message:', status.message);
}

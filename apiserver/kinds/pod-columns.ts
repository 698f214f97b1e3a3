import { isConditionTrue } from '../../shared/api/condition.js';
import type { Pod } from '../../shared/api/generated/types.js';
import type { Column } from '../registry/definition.js';
import { ageColumn, column, nameColumn, orNone, wideColumn } from './column.js';
import { podRow } from './pod-status-text.js';

export const podColumns: readonly Column<Pod>[] = [
  nameColumn(),
  column('Ready', (pod, nowMs) => podRow(pod, nowMs).ready, {
    description: 'The aggregate readiness state of this pod for accepting traffic.',
  }),
  column('Status', (pod, nowMs) => podRow(pod, nowMs).status, {
    description: 'The aggregate status of the containers in this pod.',
  }),
  column('Restarts', (pod, nowMs) => podRow(pod, nowMs).restarts, {
    description:
      'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
  }),
  ageColumn(),
  wideColumn('IP', (pod) => orNone(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP), {
    description: 'podIP address allocated to the pod.',
  }),
  wideColumn('Node', (pod) => orNone(pod.spec.nodeName), { description: 'The node that the pod is scheduled on.' }),
  wideColumn('Nominated Node', (pod) => orNone(pod.status?.nominatedNodeName), {
    description: 'The node whose lower-priority pods are making room for this pod.',
  }),
  wideColumn('Readiness Gates', readinessGates, {
    description: 'How many of the conditions that the pod names as readiness gates are true.',
  }),
];

function readinessGates({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const met = gates.filter(({ conditionType }) => isConditionTrue(status?.conditions, conditionType));
  return `${met.length}/${gates.length}`;
}

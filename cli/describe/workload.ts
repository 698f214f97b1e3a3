import type { Deployment, Pod, ReplicaSet, ReplicationController } from '../../shared/api/generated/types.js';
import type { AnyCondition } from '../../shared/api/condition.js';
import { formatLabelSelector, formatSelector, selectorOfMap } from '../../shared/api/selector.js';
import type { AnyMetadata } from '../server-api.js';
import { addAnnotations, addHead, addLabels, controllerText } from './format.js';
import type { Lines } from './lines.js';
import { describePodTemplate } from './pod-template.js';

/** `replicaSets` are the Deployment's own, the newest revision last. */
export function describeDeployment(lines: Lines, deployment: Deployment, replicaSets: readonly ReplicaSet[]): void {
  const { spec, status, metadata } = deployment;
  addHead(lines, metadata as unknown as AnyMetadata, { withNamespace: true, withTime: true });
  lines.add(0, 'Selector:', formatLabelSelector(spec.selector));
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, unavailableReplicas = 0 } = status ?? {};
  const counts = [`${spec.replicas ?? 1} desired`, `${updatedReplicas} updated`, `${replicas} total`];
  lines.add(
    0,
    'Replicas:',
    [...counts, `${availableReplicas} available`, `${unavailableReplicas} unavailable`].join(' | '),
  );
  lines.add(0, 'StrategyType:', spec.strategy?.type ?? '');
  lines.add(0, 'MinReadySeconds:', String(spec.minReadySeconds ?? 0));
  const rolling = spec.strategy?.rollingUpdate;
  if (rolling) {
    lines.add(
      0,
      'RollingUpdateStrategy:',
      `${rolling.maxUnavailable ?? ''} max unavailable, ${rolling.maxSurge ?? ''} max surge`,
    );
  }
  describePodTemplate(lines, spec.template);
  describeConditions(lines, status?.conditions);
  if (replicaSets.length === 0) return;
  const isNewest = (set: ReplicaSet): boolean => set === replicaSets.at(-1);
  lines.add(0, 'OldReplicaSets:', setsText(replicaSets.filter((set) => !isNewest(set))));
  lines.add(0, 'NewReplicaSet:', setsText(replicaSets.filter(isNewest)));
}

const setsText = (sets: readonly ReplicaSet[]): string =>
  sets
    .map((set) => `${set.metadata.name} (${set.status?.replicas ?? 0}/${set.spec?.replicas ?? 0} replicas created)`)
    .join(', ') || '<none>';

function describeConditions(lines: Lines, conditions: readonly AnyCondition[] = []): void {
  if (conditions.length === 0) return;
  lines.add(0, 'Conditions:');
  lines.add(1, 'Type', 'Status', 'Reason');
  lines.add(1, '----', '------', '------');
  // kubectl has a blank behind the type.
  for (const { type, status, reason = '' } of conditions) lines.add(1, `${type} `, status, reason);
}

/** `pods` are those that the ReplicaSet controls. */
export function describeReplicaSet(lines: Lines, replicaSet: ReplicaSet, pods: readonly Pod[]): void {
  const controller = controllerText(replicaSet.metadata as unknown as AnyMetadata);
  const selector = formatLabelSelector(replicaSet.spec?.selector);
  describeReplicas(lines, replicaSet, { pods, selector, controller });
}

/** As of a ReplicaSet, but for its controller, which kubectl leaves out. */
export function describeReplicationController(
  lines: Lines,
  replicationController: ReplicationController,
  pods: readonly Pod[],
): void {
  const selector = formatSelector(selectorOfMap(replicationController.spec.selector)) || '<none>';
  describeReplicas(lines, replicationController, { pods, selector });
}

function describeReplicas(
  lines: Lines,
  { metadata, spec, status }: ReplicaSet | ReplicationController,
  { pods, selector, controller }: { pods: readonly Pod[]; selector: string; controller?: string | undefined },
): void {
  lines.add(0, 'Name:', metadata.name);
  lines.add(0, 'Namespace:', metadata.namespace ?? '');
  lines.add(0, 'Selector:', selector);
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  if (controller) lines.add(0, 'Controlled By:', controller);
  lines.add(0, 'Replicas:', `${status?.replicas ?? 0} current / ${spec?.replicas ?? 1} desired`);
  const count = (phase: string): number => pods.filter((pod) => (pod.status?.phase ?? 'Pending') === phase).length;
  const phases = `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`;
  lines.add(0, 'Pods Status:', phases);
  if (spec?.template) describePodTemplate(lines, spec.template);
  describeConditions(lines, status?.conditions);
}

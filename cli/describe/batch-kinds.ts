import type { CronJob, DaemonSet, Job, Pod, StatefulSet } from '../../shared/api/generated/types.js';
import { humanDuration } from '../../shared/api/duration.js';
import { formatLabelSelector } from '../../shared/api/selector.js';
import type { AnyMetadata } from '../server-api.js';
import { addAnnotations, addHead, addLabels, controllerText, mapText, timeText } from './format.js';
import type { Lines } from './lines.js';
import { describePodTemplate } from './pod-template.js';

/** `1 Running / 0 Waiting / 0 Succeeded / 0 Failed`. */
function phasesText(pods: readonly Pod[]): string {
  const count = (phase: string): number => pods.filter((pod) => (pod.status?.phase ?? 'Pending') === phase).length;
  return `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`;
}

export function describeDaemonSet(lines: Lines, { metadata, spec, status }: DaemonSet, pods: readonly Pod[]): void {
  lines.add(0, 'Name:', metadata.name);
  lines.add(0, 'Namespace:', metadata.namespace ?? '');
  lines.add(0, 'Selector:', formatLabelSelector(spec?.selector));
  lines.add(0, 'Node-Selector:', mapText(spec?.template.spec?.nodeSelector));
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  lines.add(0, `Desired Number of Nodes Scheduled: ${status?.desiredNumberScheduled ?? 0}`);
  lines.add(0, `Current Number of Nodes Scheduled: ${status?.currentNumberScheduled ?? 0}`);
  lines.add(0, `Number of Nodes Scheduled with Up-to-date Pods: ${status?.updatedNumberScheduled ?? 0}`);
  lines.add(0, `Number of Nodes Scheduled with Available Pods: ${status?.numberAvailable ?? 0}`);
  lines.add(0, `Number of Nodes Misscheduled: ${status?.numberMisscheduled ?? 0}`);
  lines.add(0, 'Pods Status:', phasesText(pods));
  if (spec?.template) describePodTemplate(lines, spec.template);
}

export function describeStatefulSet(lines: Lines, { metadata, spec, status }: StatefulSet, pods: readonly Pod[]): void {
  addHead(lines, metadata as unknown as AnyMetadata, {
    withNamespace: true,
    withTime: true,
    selectorText: formatLabelSelector(spec?.selector),
  });
  lines.add(0, 'Replicas:', `${spec?.replicas ?? 1} desired | ${status?.replicas ?? 0} total`);
  lines.add(0, 'Update Strategy:', spec?.updateStrategy?.type ?? '');
  const rolling = spec?.updateStrategy?.rollingUpdate;
  if (rolling?.partition !== undefined) {
    lines.add(1, 'Partition:', String(rolling.partition));
    if (rolling.maxUnavailable !== undefined) lines.add(1, 'MaxUnavailable:', String(rolling.maxUnavailable));
  }
  lines.add(0, 'Pods Status:', phasesText(pods));
  if (spec?.template) describePodTemplate(lines, spec.template);
  describeClaimTemplates(lines, spec?.volumeClaimTemplates ?? []);
}

type ClaimTemplates = NonNullable<NonNullable<StatefulSet['spec']>['volumeClaimTemplates']>;

function describeClaimTemplates(lines: Lines, templates: ClaimTemplates): void {
  if (templates.length === 0) return lines.add(0, 'Volume Claims:', '<none>');
  lines.add(0, 'Volume Claims:');
  for (const { metadata, spec } of templates) {
    lines.add(1, 'Name:', metadata?.name ?? '');
    lines.add(1, 'StorageClass:', spec?.storageClassName ?? '');
    lines.add(1, 'Labels:', mapText(metadata?.labels));
    lines.add(1, 'Annotations:', mapText(metadata?.annotations));
    const storage = spec?.resources?.requests?.['storage'];
    lines.add(1, 'Capacity:', storage ?? '<default>');
    lines.add(1, 'Access Modes:', `[${(spec?.accessModes ?? []).join(' ')}]`);
  }
}

export function describeJob(lines: Lines, { metadata, spec, status }: Job): void {
  lines.add(0, 'Name:', metadata.name);
  lines.add(0, 'Namespace:', metadata.namespace ?? '');
  if (spec?.selector) lines.add(0, 'Selector:', formatLabelSelector(spec.selector));
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  const controller = controllerText(metadata as unknown as AnyMetadata);
  if (controller) lines.add(0, 'Controlled By:', controller);
  if (spec?.parallelism !== undefined) lines.add(0, 'Parallelism:', String(spec.parallelism));
  lines.add(0, 'Completions:', spec?.completions === undefined ? '<unset>' : String(spec.completions));
  if (spec?.completionMode) lines.add(0, 'Completion Mode:', spec.completionMode);
  if (spec?.suspend !== undefined) lines.add(0, 'Suspend:', String(spec.suspend));
  if (spec?.backoffLimit !== undefined) lines.add(0, 'Backoff Limit:', String(spec.backoffLimit));
  if (spec?.ttlSecondsAfterFinished !== undefined)
    lines.add(0, 'TTL Seconds After Finished:', String(spec.ttlSecondsAfterFinished));
  if (status?.startTime) lines.add(0, 'Start Time:', timeText(status.startTime));
  if (status?.completionTime) lines.add(0, 'Completed At:', timeText(status.completionTime));
  if (status?.startTime && status.completionTime) {
    lines.add(0, 'Duration:', humanDuration(Date.parse(status.completionTime) - Date.parse(status.startTime)));
  }
  if (spec?.activeDeadlineSeconds !== undefined)
    lines.add(0, 'Active Deadline Seconds:', `${spec.activeDeadlineSeconds}s`);
  const { active = 0, succeeded = 0, failed = 0, ready } = status ?? {};
  const running = ready === undefined ? `${active} Active` : `${active} Active (${ready} Ready)`;
  lines.add(0, 'Pods Statuses:', `${running} / ${succeeded} Succeeded / ${failed} Failed`);
  if (spec?.completionMode === 'Indexed') lines.add(0, 'Completed Indexes:', status?.completedIndexes || '<none>');
  if (spec?.template) describePodTemplate(lines, spec.template);
}

export function describeCronJob(lines: Lines, { metadata, spec, status }: CronJob): void {
  lines.add(0, 'Name:', metadata.name);
  lines.add(0, 'Namespace:', metadata.namespace ?? '');
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  lines.add(0, 'Schedule:', spec?.schedule ?? '');
  lines.add(0, 'Concurrency Policy:', spec?.concurrencyPolicy ?? '');
  lines.add(0, 'Suspend:', spec?.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False');
  lines.add(0, 'Time Zone:', spec?.timeZone ?? '<unset>');
  lines.add(0, 'Successful Job History Limit:', String(spec?.successfulJobsHistoryLimit ?? '<unset>'));
  lines.add(0, 'Failed Job History Limit:', String(spec?.failedJobsHistoryLimit ?? '<unset>'));
  lines.add(
    0,
    'Starting Deadline Seconds:',
    spec?.startingDeadlineSeconds === undefined ? '<unset>' : `${spec.startingDeadlineSeconds}s`,
  );
  const job = spec?.jobTemplate.spec;
  lines.add(0, 'Selector:', job?.selector ? formatLabelSelector(job.selector) : '<unset>');
  lines.add(0, 'Parallelism:', String(job?.parallelism ?? '<unset>'));
  lines.add(0, 'Completions:', String(job?.completions ?? '<unset>'));
  if (job?.activeDeadlineSeconds !== undefined)
    lines.add(0, 'Active Deadline Seconds:', `${job.activeDeadlineSeconds}s`);
  if (job?.template) describePodTemplate(lines, job.template);
  lines.add(0, 'Last Schedule Time:', status?.lastScheduleTime ? timeText(status.lastScheduleTime) : '<unset>');
  lines.add(0, 'Active Jobs:', (status?.active ?? []).map(({ name = '' }) => name).join(', ') || '<none>');
}

import { affinityReason, unschedulableReason } from './node-filter.js';
import { portReason, tooManyPodsReason } from './placement.js';
import type { ClusterChange } from './scheduling-queue.js';
import {
  existingAntiAffinityReason,
  podAffinityReason,
  podAntiAffinityReason,
  spreadLabelReason,
  spreadReason,
} from './topology.js';

const byReason: Readonly<Record<string, readonly ClusterChange[]>> = {
  [unschedulableReason]: ['NodeLabelsOrTaintsChanged'],
  [affinityReason]: ['NodeLabelsOrTaintsChanged'],
  [portReason]: ['PodGone'],
  [tooManyPodsReason]: ['PodGone', 'NodeResourcesGrew'],
  [podAffinityReason]: ['PodPlaced', 'NodeLabelsOrTaintsChanged'],
  [podAntiAffinityReason]: ['PodGone', 'NodeLabelsOrTaintsChanged'],
  [existingAntiAffinityReason]: ['PodGone', 'NodeLabelsOrTaintsChanged'],
  [spreadReason]: ['PodPlaced', 'PodGone', 'NodeLabelsOrTaintsChanged'],
  [spreadLabelReason]: ['NodeLabelsOrTaintsChanged'],
};

/** Which changes can help a pod that was refused for these reasons. A new node always can. */
export function changesThatHelp(reasons: Iterable<string>): Set<ClusterChange> {
  const changes = new Set<ClusterChange>(['NodeAdded']);
  for (const reason of reasons) {
    const known =
      byReason[reason] ??
      (reason.startsWith('Insufficient ')
        ? (['PodGone', 'NodeResourcesGrew'] as const)
        : (['NodeLabelsOrTaintsChanged'] as const));
    for (const change of known) changes.add(change);
  }
  return changes;
}

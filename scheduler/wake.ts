import { portReason, tooManyPodsReason } from './fit.js';
import { affinityReason, taintReason, unschedulableReason } from './node-filter.js';
import type { ClusterChange } from './scheduling-queue.js';
import { existingAntiAffinityReason, podAffinityReason, podAntiAffinityReason } from './topology.js';
import { spreadLabelReason, spreadReason } from './topology-spread.js';
import {
  oncePodReason,
  volumeBindReason,
  volumeMissingReason,
  volumeNodeReason,
  volumeZoneReason,
} from './volume-rules.js';

interface Remedy {
  readonly changes: readonly ClusterChange[];
  /** Pods that go can make the node fit. */
  readonly isPreemptible?: true;
}

const labels = 'NodeLabelsOrTaintsChanged';
const volumes = ['VolumeChanged', 'ClaimChanged', 'StorageClassChanged', labels] as const;
const shortage: Remedy = { changes: ['PodGone', 'PodChanged', 'NodeResourcesGrew'], isPreemptible: true };

const byReason: Readonly<Record<string, Remedy>> = {
  [unschedulableReason]: { changes: [labels] },
  [taintReason]: { changes: [labels] },
  [affinityReason]: { changes: [labels] },
  [portReason]: { changes: ['PodGone'], isPreemptible: true },
  [tooManyPodsReason]: shortage,
  [podAffinityReason]: { changes: ['PodPlaced', 'PodChanged', labels] },
  [podAntiAffinityReason]: { changes: ['PodGone', 'PodChanged', labels], isPreemptible: true },
  [existingAntiAffinityReason]: { changes: ['PodGone', 'PodChanged', labels], isPreemptible: true },
  [spreadReason]: { changes: ['PodPlaced', 'PodGone', 'PodChanged', labels], isPreemptible: true },
  [spreadLabelReason]: { changes: [labels] },
  [volumeNodeReason]: { changes: volumes },
  [volumeZoneReason]: { changes: volumes },
  [volumeBindReason]: { changes: volumes },
  [volumeMissingReason]: { changes: volumes },
  [oncePodReason]: { changes: ['PodGone', 'ClaimChanged'], isPreemptible: true },
};

const remedyOf = (reason: string): Remedy | undefined =>
  byReason[reason] ?? (reason.startsWith('Insufficient ') ? shortage : undefined);

/** Which changes can help a pod that was refused for these reasons. A new node always can. */
export function changesThatHelp(reasons: Iterable<string>): Set<ClusterChange> {
  const changes = new Set<ClusterChange>(['NodeAdded']);
  for (const reason of reasons) for (const change of remedyOf(reason)?.changes ?? [labels]) changes.add(change);
  return changes;
}

/** Which changes can help a pod whose claims keep it from all nodes. */
export const changesThatHelpClaims: ReadonlySet<ClusterChange> = new Set(['ClaimChanged', 'StorageClassChanged']);

/** Whether a node that refuses for this reason could take the pod when others leave it. */
export const isPreemptible = (reason: string): boolean => remedyOf(reason)?.isPreemptible === true;

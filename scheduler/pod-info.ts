import type { Affinity, Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../shared/api/generated/types.js';
import { objectKey } from '../shared/api/object.js';
import { controllerOf } from '../shared/api/owner.js';
import { type HostPort, hostPorts, isHostNetwork, podRequests } from '../shared/api/pod.js';
import { reservedSpec } from './reserved-spec.js';

/** What scheduling needs of a pod, computed once. */
export interface PodInfo {
  readonly key: string;
  readonly pod: Pod;
  readonly milliCpu: number;
  readonly memoryBytes: number;
  /** With a floor for pods that ask for nothing, so that they too spread out in scores. */
  readonly scoredMilliCpu: number;
  readonly scoredMemoryBytes: number;
  /** Ephemeral storage and extended resources. */
  readonly scalars: ReadonlyMap<string, number>;
  readonly hostPorts: readonly HostPort[];
  readonly isHostNetwork: boolean;
  readonly priority: number;
  /** Equal for pods that the same nodes can take as far as labels and taints decide. */
  readonly signature: string;
  /** Equal for the pods of one controller: they are spread over nodes. */
  readonly spreadKey: string | undefined;
  /** Terms of existing pods that keep others away. */
  readonly requiredAntiAffinity: readonly PodAffinityTerm[];
  /** Terms by which an existing pod draws others near (a weight above zero) or would rather not have them. */
  readonly leanings: readonly WeightedPodAffinityTerm[];
  /** Whether other pods' places matter for this one. */
  readonly hasTopologyRules: boolean;
  /** PersistentVolumeClaims that its volumes stand for. */
  readonly claims: readonly ClaimUse[];
}

/** A volume of a pod that a PersistentVolumeClaim provides. */
export interface ClaimUse {
  /** `namespace/name`. */
  readonly key: string;
  readonly name: string;
  /** Made for this pod alone, from a template in its spec. */
  readonly isEphemeral: boolean;
}

const none: readonly never[] = [];

/** Floor of the original's scores: 100m of CPU and 200 MB of memory. */
const leastMilliCpu = 100;
const leastMemoryBytes = 200 * 1024 * 1024;

/** Derives a {@link PodInfo}. */
export function toPodInfo(pod: Pod): PodInfo {
  const requests = podRequests(reservedSpec(pod));
  const milliCpu = requests.get('cpu') ?? 0;
  const memoryBytes = requests.get('memory') ?? 0;
  const scalars = new Map([...requests].filter(([name]) => name !== 'cpu' && name !== 'memory'));
  const { affinity, nodeSelector, tolerations, topologySpreadConstraints } = pod.spec;
  const owner = controllerOf(pod);
  return {
    key: objectKey(pod),
    pod,
    milliCpu,
    memoryBytes,
    scoredMilliCpu: milliCpu || leastMilliCpu,
    scoredMemoryBytes: memoryBytes || leastMemoryBytes,
    scalars,
    hostPorts: hostPorts(pod.spec),
    isHostNetwork: isHostNetwork(pod.spec),
    priority: pod.spec.priority ?? 0,
    signature: JSON.stringify([nodeSelector, affinity?.nodeAffinity, tolerations]),
    spreadKey: owner?.uid,
    requiredAntiAffinity: affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [],
    leanings: affinity ? leaningsOf(affinity) : none,
    hasTopologyRules:
      Boolean(affinity?.podAffinity ?? affinity?.podAntiAffinity) || (topologySpreadConstraints ?? []).length > 0,
    claims: claimsOf(pod),
  };
}

/** Who must be near others also draws them, a little. */
function leaningsOf({ podAffinity, podAntiAffinity }: Affinity): readonly WeightedPodAffinityTerm[] {
  const required = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const away = podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...required.map((podAffinityTerm) => ({ weight: 1, podAffinityTerm })),
    ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []),
    ...away.map(({ weight, podAffinityTerm }) => ({ weight: -weight, podAffinityTerm })),
  ];
}

function claimsOf(pod: Pod): readonly ClaimUse[] {
  let claims: ClaimUse[] | undefined;
  for (const { name: volume, persistentVolumeClaim, ephemeral } of pod.spec.volumes ?? []) {
    if (!persistentVolumeClaim && !ephemeral) continue;
    const name = persistentVolumeClaim?.claimName ?? `${pod.metadata.name}-${volume}`;
    claims ??= [];
    claims.push({ key: `${pod.metadata.namespace}/${name}`, name, isEphemeral: !persistentVolumeClaim });
  }
  return claims ?? none;
}

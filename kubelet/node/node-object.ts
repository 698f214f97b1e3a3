import type { ContainerImage, NodeCondition, NodeStatus } from '../../shared/api/generated/types.js';
import { canonicalQuantity, quantityValue } from '../../shared/api/quantity.js';
import { ANNOTATION_LINK_ADDRESS, LABEL_ARCH, LABEL_HOSTNAME, LABEL_OS } from '../../shared/api/well-known.js';
import { version } from '../../shared/api/version.js';
import { timestamp } from '../status/container-status.js';
import type { Machine, MachinePressure } from './machine.js';

/** What the kubelet was told about its node. */
export interface NodeIdentity {
  readonly name: string;
  readonly ip: string;
  /** Where other hosts reach this one. */
  readonly linkAddress: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number;
  /** Instead of the machine's own. */
  readonly cpu?: string;
  readonly memory?: string;
}

/** How the parts of the node are. */
export interface NodeHealth {
  /** Why the runtime cannot be used, if it cannot. */
  readonly runtimeProblem: string | undefined;
  readonly runtimeVersion: string;
  /** Why what the runtime does is not known any more, if so. */
  readonly watchProblem?: string | undefined;
  readonly networkProblem: string | undefined;
  readonly pressure: MachinePressure;
  readonly images: readonly ContainerImage[];
}

const maxPods = 110;
/** The original's threshold of eviction, which pods cannot count on. */
const reservedMemoryBytes = 100 * 2 ** 20;
const diskPressureShare = 0.05;

export function nodeLabels(identity: NodeIdentity, machine: Machine): Record<string, string> {
  const own = { [LABEL_HOSTNAME]: identity.name, [LABEL_OS]: 'linux', [LABEL_ARCH]: machine.architecture };
  const beta = { 'beta.kubernetes.io/os': 'linux', 'beta.kubernetes.io/arch': machine.architecture };
  return { ...beta, ...own, ...identity.labels };
}

export const nodeAnnotations = (identity: NodeIdentity): Record<string, string> => ({
  [ANNOTATION_LINK_ADDRESS]: identity.linkAddress,
});

/** The whole status of the node; what others put there (extended resources, conditions, volumes) stays. Pure. */
export function nodeStatus(
  given: NodeStatus | undefined,
  identity: NodeIdentity,
  machine: Machine,
  health: NodeHealth,
  nowMs: number,
): NodeStatus {
  const before = given ?? {};
  const capacity = nodeCapacity(before.capacity ?? {}, identity, machine);
  return {
    ...before,
    capacity,
    allocatable: allocatableOf(capacity),
    conditions: nodeConditions(before.conditions ?? [], machine, health, nowMs),
    addresses: [
      { type: 'InternalIP', address: identity.ip },
      { type: 'Hostname', address: identity.name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: identity.port } },
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.systemUuid,
      bootID: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: health.runtimeVersion,
      kubeletVersion: version.gitVersion,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: machine.architecture,
    },
    images: [...health.images],
  };
}

const ownResources = new Set(['cpu', 'memory', 'pods', 'ephemeral-storage', 'hugepages-1Gi', 'hugepages-2Mi']);

/** Ours, and the extended resources that somebody patched in. */
function nodeCapacity(
  before: Readonly<Record<string, string>>,
  identity: NodeIdentity,
  machine: Machine,
): Record<string, string> {
  const extended = Object.entries(before).filter(([name]) => !ownResources.has(name));
  return {
    ...Object.fromEntries(extended),
    cpu: identity.cpu === undefined ? String(machine.cpus) : canonicalQuantity(identity.cpu),
    memory: identity.memory === undefined ? kibibytes(machine.memoryBytes) : canonicalQuantity(identity.memory),
    'ephemeral-storage': kibibytes(machine.diskBytes),
    pods: String(maxPods),
  };
}

function allocatableOf(capacity: Readonly<Record<string, string>>): Record<string, string> {
  const memory = Math.max(0, quantityValue(capacity['memory'] ?? '0') - reservedMemoryBytes);
  const disk = Math.floor(quantityValue(capacity['ephemeral-storage'] ?? '0') * 0.9);
  return { ...capacity, memory: kibibytes(memory), 'ephemeral-storage': String(disk) };
}

/** As the original writes memory: never reduced to Mi or Gi, so that numbers compare by eye. */
const kibibytes = (bytes: number): string => `${Math.floor(bytes / 1024)}Ki`;

function nodeConditions(
  before: readonly NodeCondition[],
  machine: Machine,
  health: NodeHealth,
  nowMs: number,
): NodeCondition[] {
  const { availableMemoryBytes, availableDiskBytes } = health.pressure;
  const lowMemory = availableMemoryBytes < reservedMemoryBytes;
  const lowDisk = availableDiskBytes < machine.diskBytes * diskPressureShare;
  const own: NodeCondition[] = [
    lowMemory
      ? condition('MemoryPressure', 'True', 'KubeletHasInsufficientMemory', 'kubelet has insufficient memory available')
      : condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    lowDisk
      ? condition('DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure')
      : condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    readyCondition(health),
  ];
  const types = new Set(own.map(({ type }) => type));
  const now = timestamp(nowMs);
  return [
    ...before.filter(({ type }) => !types.has(type)),
    ...own.map((fresh) => {
      const old = before.find(({ type }) => type === fresh.type);
      const since = old?.status === fresh.status ? (old.lastTransitionTime ?? now) : now;
      return { ...fresh, lastHeartbeatTime: now, lastTransitionTime: since };
    }),
  ];
}

function readyCondition({ runtimeProblem, watchProblem, networkProblem }: NodeHealth): NodeCondition {
  const network = `container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:${networkProblem ?? ''}`;
  const problems = [
    ...(runtimeProblem === undefined ? [] : [`container runtime is down: ${runtimeProblem}`]),
    ...(watchProblem === undefined ? [] : [watchProblem]),
    ...(networkProblem === undefined ? [] : [network]),
  ];
  if (problems.length === 0) return condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status');
  // As Go prints several errors in one.
  const message = problems.length > 1 ? `[${problems.join(', ')}]` : (problems[0] ?? '');
  return condition('Ready', 'False', 'KubeletNotReady', message);
}

const condition = (type: string, status: string, reason: string, message: string): NodeCondition => ({
  type,
  status,
  reason,
  message,
});

import { getCondition } from './condition.js';
import type { Container, ContainerPort, Pod, PodSpec } from './generated/types.js';
import { quantityMilliValue, quantityValue } from './quantity.js';

/** Amounts by resource name: CPU in thousandths of a core, all else in units (bytes, pieces), rounded up. */
export type ResourceAmounts = Map<string, number>;

/** Ready means the condition, not the phase. */
export function isPodReady(pod: Pod): boolean {
  return getCondition(pod.status?.conditions, 'Ready')?.status === 'True';
}

/** Ready for at least `minReadySeconds`, as rollouts count availability. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const ready = getCondition(pod.status?.conditions, 'Ready');
  if (ready?.status !== 'True') return false;
  if (minReadySeconds === 0) return true;
  const since = Date.parse(ready.lastTransitionTime ?? '');
  return !Number.isNaN(since) && since + minReadySeconds * 1000 <= nowMs;
}

/** Succeeded or Failed: no container of it will run again. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Not finished and not on its way out: what ReplicaSets count. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** An init container that is started in its turn and then runs on beside the others. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

export function isHostNetwork(spec: PodSpec): boolean {
  return spec.hostNetwork === true;
}

/** One claim on a port of the node. */
export interface HostPort {
  readonly protocol: string;
  /** `0.0.0.0` unless the pod asks for one address. */
  readonly ip: string;
  readonly port: number;
}

/** The ports of the node that the pod occupies: of its containers and its sidecars. */
export function hostPorts(spec: PodSpec): HostPort[] {
  const running = [...(spec.initContainers ?? []).filter(isSidecar), ...(spec.containers ?? [])];
  return running.flatMap((container) => (container.ports ?? []).flatMap(hostPort));
}

function hostPort({ hostPort: port, hostIP, protocol }: ContainerPort): HostPort[] {
  if (!port) return [];
  return [{ protocol: protocol ?? 'TCP', ip: hostIP === undefined || hostIP === '' ? '0.0.0.0' : hostIP, port }];
}

/**
 * What the scheduler reserves for the pod: the larger of what its containers need together and what its init containers
 * need one after the other (sidecars count in both from their turn on), plus overhead. Pod-level resources take precedence.
 */
export function podRequests(spec: PodSpec): ResourceAmounts {
  const total = podAmounts(spec, 'requests');
  for (const [name, quantity] of Object.entries(spec.overhead ?? {}))
    total.set(name, (total.get(name) ?? 0) + amount(name, quantity));
  return total;
}

/** What the pod may use at most of what it has a limit for, added up likewise; overhead counts where there is a limit. */
export function podLimits(spec: PodSpec): ResourceAmounts {
  const total = podAmounts(spec, 'limits');
  for (const [name, quantity] of Object.entries(spec.overhead ?? {})) {
    const limit = total.get(name) ?? 0;
    if (limit > 0) total.set(name, limit + amount(name, quantity));
  }
  return total;
}

function podAmounts(spec: PodSpec, kind: 'requests' | 'limits'): ResourceAmounts {
  const total: ResourceAmounts = new Map();
  for (const container of spec.containers ?? []) add(total, amountsOf(container, kind));
  const sidecars: ResourceAmounts = new Map();
  const peak: ResourceAmounts = new Map();
  for (const container of spec.initContainers ?? []) {
    const own = amountsOf(container, kind);
    if (isSidecar(container)) {
      add(total, own);
      add(sidecars, own);
      raise(peak, sidecars);
    } else {
      add(own, sidecars);
      raise(peak, own);
    }
  }
  raise(total, peak);
  for (const [name, quantity] of Object.entries(spec.resources?.[kind] ?? {})) total.set(name, amount(name, quantity));
  return total;
}

/** CPU in thousandths, all else in units. */
export function amount(name: string, quantity: string): number {
  return name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity);
}

function amountsOf({ resources }: Container, kind: 'requests' | 'limits'): ResourceAmounts {
  return new Map(Object.entries(resources?.[kind] ?? {}).map(([name, quantity]) => [name, amount(name, quantity)]));
}

function add(to: ResourceAmounts, more: ReadonlyMap<string, number>): void {
  for (const [name, value] of more) to.set(name, (to.get(name) ?? 0) + value);
}

function raise(to: ResourceAmounts, floor: ReadonlyMap<string, number>): void {
  for (const [name, value] of floor) to.set(name, Math.max(to.get(name) ?? 0, value));
}

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/**
 * The quality-of-service class: Guaranteed when every container limits cpu and memory to what it requests, BestEffort
 * when none says anything, Burstable otherwise. Only cpu and memory count.
 */
export function qosClass(spec: PodSpec): QosClass {
  const all = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const subjects = spec.resources?.requests || spec.resources?.limits ? [{ resources: spec.resources }] : all;
  const requests: ResourceAmounts = new Map();
  const limits: ResourceAmounts = new Map();
  let isGuaranteed = true;
  for (const { resources } of subjects) {
    add(requests, computeAmounts(resources?.requests));
    const limited = computeAmounts(resources?.limits);
    if (limited.size < 2) isGuaranteed = false;
    add(limits, limited);
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const isEqual = requests.size === limits.size && [...requests].every(([name, value]) => limits.get(name) === value);
  return isGuaranteed && isEqual ? 'Guaranteed' : 'Burstable';
}

function computeAmounts(resources: Readonly<Record<string, string>> | undefined): ResourceAmounts {
  const found: ResourceAmounts = new Map();
  for (const name of ['cpu', 'memory']) {
    const quantity = resources?.[name];
    // Thousandths of both: a memory of 500m is not the same as one of 1.
    const value = quantity === undefined ? 0 : quantityMilliValue(quantity);
    if (value > 0) found.set(name, value);
  }
  return found;
}

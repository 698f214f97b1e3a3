import { getCondition } from '../../shared/api/condition.js';
import type { Condition, IPAddress, ServiceCIDR } from '../../shared/api/generated/types.js';
import { canGive, containsPrefix, overlaps, parseAddress, parsePrefix, type Prefix } from './prefix.js';

export const serviceCidrFinalizer = 'networking.k8s.io/service-cidr-finalizer';
/** After a deletion so much time is left for every server to learn of it and to take no more addresses from the range. */
export const deletionGraceMs = 10_000;

const managedBy = 'ipaddress.kubernetes.io/managed-by';
const allocator = 'ipallocator';

/** All that there is of ranges and addresses. */
export interface Ranges {
  readonly cidrs: readonly ServiceCIDR[];
  readonly addresses: readonly IPAddress[];
}

/** One step for one ServiceCIDR. */
export type ServiceCidrPlan =
  | { readonly action: 'none' }
  /** Protect it, and say that it is ready. */
  | { readonly action: 'keep'; readonly needsFinalizer: boolean; readonly needsCondition: boolean }
  /** Addresses would be of no range any more: say so. */
  | { readonly action: 'block'; readonly needsCondition: boolean }
  | { readonly action: 'wait'; readonly delayMs: number }
  | { readonly action: 'release' };

/** What is to be done about a ServiceCIDR; `graceMs` after its deletion it may go. */
export function planServiceCidr(cidr: ServiceCIDR, ranges: Ranges, nowMs: number, graceMs: number): ServiceCidrPlan {
  const hasFinalizer = (cidr.metadata.finalizers ?? []).includes(serviceCidrFinalizer);
  const { deletionTimestamp } = cidr.metadata;
  if (deletionTimestamp === undefined) {
    const needsCondition = getCondition(cidr.status?.conditions, 'Ready')?.status !== 'True';
    return { action: 'keep', needsFinalizer: !hasFinalizer, needsCondition };
  }
  if (!hasFinalizer) return { action: 'none' };
  if (!canGo(cidr, ranges)) {
    const ready = getCondition(cidr.status?.conditions, 'Ready');
    return { action: 'block', needsCondition: ready?.status !== 'False' || ready.reason !== 'Terminating' };
  }
  const leftMs = Date.parse(deletionTimestamp) + graceMs - nowMs;
  return leftMs > 0 ? { action: 'wait', delayMs: leftMs } : { action: 'release' };
}

/** Whether every address that a Service has is of another range too. */
function canGo(cidr: ServiceCIDR, { cidrs, addresses }: Ranges): boolean {
  const others = cidrs.filter(({ metadata }) => metadata.name !== cidr.metadata.name).flatMap(prefixesOf);
  const own = prefixesOf(cidr);
  if (own.every((prefix) => others.some((other) => containsPrefix(other, prefix)))) return true;
  return addresses.every(({ metadata }) => {
    const address = metadata.labels?.[managedBy] === allocator ? parseAddress(metadata.name) : undefined;
    const isOf = (prefix: Prefix): boolean => address !== undefined && canGive(prefix, address);
    return !own.some(isOf) || others.some(isOf);
  });
}

const prefixesOf = ({ spec }: ServiceCIDR): Prefix[] => (spec?.cidrs ?? []).flatMap((text) => parsePrefix(text) ?? []);

/** Names of the ServiceCIDRs that share addresses with this one, itself included. */
export function overlapping(cidr: ServiceCIDR, cidrs: readonly ServiceCIDR[]): string[] {
  const own = prefixesOf(cidr);
  const isNear = (other: ServiceCIDR): boolean =>
    prefixesOf(other).some((prefix) => own.some((mine) => overlaps(mine, prefix)));
  return [...new Set([cidr.metadata.name, ...cidrs.filter(isNear).map(({ metadata }) => metadata.name)])];
}

/** Names of the ServiceCIDRs that the address of a Service may be of. */
export function containing({ metadata }: IPAddress, cidrs: readonly ServiceCIDR[]): string[] {
  const address = metadata.labels?.[managedBy] === allocator ? parseAddress(metadata.name) : undefined;
  if (!address) return [];
  return cidrs
    .filter((cidr) => prefixesOf(cidr).some((prefix) => canGive(prefix, address)))
    .map((cidr) => cidr.metadata.name);
}

type ReadyCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message' | 'lastTransitionTime'>;

export function readyCondition(isReady: boolean, lastTransitionTime: string): ReadyCondition {
  const blocked =
    'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR';
  return {
    type: 'Ready',
    status: isReady ? 'True' : 'False',
    reason: isReady ? 'Ready' : 'Terminating',
    message: isReady ? 'Kubernetes Service CIDR is ready' : blocked,
    lastTransitionTime,
  };
}

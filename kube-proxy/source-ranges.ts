import type { ServiceSpec } from '../shared/api/generated/types.js';
import { disjointNetworks } from './networks.js';

/**
 * IPv4 networks whose clients may use the load balancer, none inside another; undefined: everybody may. Ranges of the other family
 * say nothing about this one, as in the original.
 */
export function sourceRanges(spec: Pick<ServiceSpec, 'loadBalancerSourceRanges'>): string[] | undefined {
  const ranges = disjointNetworks(spec.loadBalancerSourceRanges ?? []);
  return ranges.length === 0 || ranges.includes('0.0.0.0/0') ? undefined : ranges;
}

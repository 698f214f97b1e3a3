import type { ServiceCIDR } from '../shared/api/generated/types.js';
import { disjointNetworks } from './networks.js';
import { type Contribution, noContribution } from './rule-set.js';

/** Where addresses of Services are from: what no Service has of them is nobody's, and no packet for it leaves the host. */
export function planServiceRanges(cidrs: readonly ServiceCIDR[]): Contribution {
  const ranges = disjointNetworks(cidrs.flatMap(({ spec }) => spec?.cidrs ?? []));
  return { ...noContribution, elements: ranges.map((key) => ({ set: 'service_ranges', key })) };
}

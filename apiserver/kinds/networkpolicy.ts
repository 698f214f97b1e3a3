import { networkpolicies } from '../../shared/api/generated/resources.js';
import type { NetworkPolicy } from '../../shared/api/generated/types.js';
import { formatLabelSelector } from '../../shared/api/selector.js';
import { validateNetworkPolicy } from '../validation/networkpolicy.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const networkPolicyDefinition = defineKind<NetworkPolicy>({
  resource: networkpolicies,
  shortNames: ['netpol'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Pod-Selector', ({ spec }) => formatLabelSelector(spec?.podSelector), {
      description: 'podSelector selects the pods to which this NetworkPolicy object applies.',
    }),
    ageColumn(),
  ],
  strategy: { defaults: setDefaults, validate: validateNetworkPolicy },
});

function setDefaults(policy: NetworkPolicy): void {
  const spec = (policy.spec ??= {});
  spec.podSelector ??= {};
  for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
    for (const port of ports ?? []) port.protocol ??= 'TCP';
  if ((spec.policyTypes ?? []).length > 0) return;
  spec.policyTypes = (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}

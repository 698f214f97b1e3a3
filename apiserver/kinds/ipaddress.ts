import { ipaddresses, servicecidrs } from '../../shared/api/generated/resources.js';
import type { IPAddress, ServiceCIDR } from '../../shared/api/generated/types.js';
import {
  isIpAddressName,
  validateIpAddress,
  validateIpAddressUpdate,
  validateServiceCidr,
  validateServiceCidrStatus,
  validateServiceCidrUpdate,
} from '../validation/address-allocation.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const ipAddressDefinition = defineKind<IPAddress>({
  resource: ipaddresses,
  shortNames: ['ip'],
  columns: [
    nameColumn(),
    column('ParentRef', ({ spec }) => parentText(spec?.parentRef), {
      description: 'ParentRef references the resource that an IPAddress is attached to.',
    }),
    ageColumn(),
  ],
  strategy: {
    validateName: isIpAddressName,
    validate: validateIpAddress,
    validateUpdate: validateIpAddressUpdate,
  },
});

function parentText(parent: IPAddress['spec']['parentRef'] | undefined): string {
  if (!parent) return '<none>';
  const group = parent.group ? `.${parent.group}` : '';
  return [
    `${parent.resource}${group}`.toLowerCase(),
    ...(parent.namespace ? [parent.namespace] : []),
    parent.name,
  ].join('/');
}

export const serviceCidrDefinition = defineKind<ServiceCIDR>({
  resource: servicecidrs,
  subresources: ['status'],
  columns: [
    nameColumn(),
    column('CIDRs', ({ spec }) => (spec?.cidrs ?? []).join(','), {
      description:
        'CIDRs defines the IP blocks in CIDR notation (e.g. "192.168.0.0/24" or "2001:db8::/64") from which to assign service cluster IPs.',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: (cidr) => {
      cidr.spec ??= {};
    },
    prepareForUpdate: (cidr, old) => {
      if (old.status) cidr.status = old.status;
    },
    prepareForStatusUpdate: (cidr, old) => {
      cidr.spec = old.spec;
    },
    validate: validateServiceCidr,
    validateUpdate: validateServiceCidrUpdate,
    validateStatusUpdate: validateServiceCidrStatus,
  },
});

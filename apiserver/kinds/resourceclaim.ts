import { resourceclaims } from '../../shared/api/generated/resources.js';
import type { ResourceV1ResourceClaim } from '../../shared/api/generated/types.js';
import { validateImmutable } from '../validation/object-meta.js';
import { deviceId, validateResourceClaimSpec, validateResourceClaimStatus } from '../validation/resource-claim.js';
import { ageColumn, column, nameColumn } from './column.js';
import { setResourceClaimSpecDefaults, setTolerationDefaults } from './device-defaults.js';
import { defineKind } from './kind.js';

type Claim = ResourceV1ResourceClaim;

export const resourceClaimDefinition = defineKind<Claim>({
  resource: resourceclaims,
  subresources: ['status'],
  columns: [
    nameColumn(),
    column('State', stateText, {
      description: 'A summary of the current state (allocated, pending, reserved, etc.).',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: (claim) => {
      setResourceClaimSpecDefaults((claim.spec ??= {}));
      for (const { tolerations } of claim.status?.allocation?.devices?.results ?? [])
        setTolerationDefaults(tolerations);
    },
    prepareForCreate: (claim) => {
      claim.status = {};
    },
    validate: ({ spec }) => validateResourceClaimSpec(spec, 'spec'),
    validateUpdate: ({ spec }, old) => validateImmutable(spec, old.spec, 'spec'),
    prepareForStatusUpdate: dropFreedDevices,
    validateStatusUpdate: validateResourceClaimStatus,
  },
});

function stateText({ metadata, status }: Claim): string {
  const isDeleted = metadata.deletionTimestamp !== undefined;
  const states = isDeleted ? ['deleted'] : [];
  if (!status?.allocation) return isDeleted ? 'deleted' : 'pending';
  states.push('allocated');
  if ((status.reservedFor ?? []).length > 0) states.push('reserved');
  return states.join(',');
}

/** What a driver reported of a device goes with the device. */
function dropFreedDevices({ status }: Claim, old: Claim): void {
  if (!status?.devices) return;
  const allocated = new Set((status.allocation?.devices?.results ?? []).map(deviceId));
  const freed = new Set(
    (old.status?.allocation?.devices?.results ?? []).map(deviceId).filter((id) => !allocated.has(id)),
  );
  status.devices = status.devices.filter((device) => !freed.has(deviceId(device)));
  if (status.devices.length === 0) delete status.devices;
}

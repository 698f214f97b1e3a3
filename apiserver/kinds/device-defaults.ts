import type { DeviceToleration, ResourceClaimSpec } from '../../shared/api/generated/types.js';
import { canonicalizeQuantities } from './container-defaults.js';

/** Fills what a request for devices leaves out: one device, tolerations by equality. */
export function setResourceClaimSpecDefaults(spec: ResourceClaimSpec): void {
  for (const { exactly, firstAvailable = [] } of spec.devices?.requests ?? [])
    for (const request of exactly ? [exactly, ...firstAvailable] : firstAvailable) {
      request.allocationMode ||= 'ExactCount';
      if (request.allocationMode === 'ExactCount') request.count ||= 1;
      setTolerationDefaults(request.tolerations);
      canonicalizeQuantities(request.capacity?.requests);
    }
}

export function setTolerationDefaults(tolerations: DeviceToleration[] | undefined): void {
  for (const toleration of tolerations ?? []) toleration.operator ||= 'Equal';
}

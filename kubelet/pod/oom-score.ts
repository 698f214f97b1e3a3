import type { Container, Pod } from '../../shared/api/generated/types.js';
import { qosClass } from '../../shared/api/pod.js';
import { quantityValue } from '../../shared/api/quantity.js';

/**
 * The kernel's out-of-memory score of a container: guaranteed pods last, best-effort first, burstable in between by the
 * share of the machine that they asked for (the original's formula).
 */
export function oomScoreAdjust(pod: Pod, container: Container, machineMemoryBytes: number): number {
  const qos = qosClass(pod.spec);
  if ((pod.spec.priority ?? 0) >= 2_000_000_000 || qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const request = quantityValue(container.resources?.requests?.['memory'] ?? '0');
  const share = machineMemoryBytes > 0 ? Math.floor((1000 * request) / machineMemoryBytes) : 0;
  // Below a guaranteed pod's protection, and never as exposed as a best-effort one.
  return Math.max(3, Math.min(999, 1000 - share));
}

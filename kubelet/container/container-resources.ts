import type { Container, Pod } from '../../shared/api/generated/types.js';
import { quantityMilliValue, quantityValue } from '../../shared/api/quantity.js';
import { oomScoreAdjust } from '../pod/oom-score.js';
import type { ContainerResources } from '../runtime/container-runtime.js';

const periodMicroseconds = 100_000;

/** Requests to CPU shares, limits to quota and memory; the numbers are the original's. */
export function containerResources(pod: Pod, container: Container, machineMemoryBytes: number): ContainerResources {
  return { ...resourceLimits(container), oomScoreAdj: oomScoreAdjust(pod, container, machineMemoryBytes) };
}

/** The part that may change while a container runs. */
export function resourceLimits(container: Container): ContainerResources {
  const requests = container.resources?.requests ?? {};
  const limits = container.resources?.limits ?? {};
  const cpuLimit = limits['cpu'] === undefined ? 0 : quantityMilliValue(limits['cpu']);
  const cpuRequest = requests['cpu'] ?? limits['cpu'];
  const memory = limits['memory'] === undefined ? 0 : quantityValue(limits['memory']);
  return {
    cpuShares: cpuShares(cpuRequest === undefined ? 0 : quantityMilliValue(cpuRequest)),
    ...(cpuLimit > 0
      ? { cpuQuota: Math.max(1000, (cpuLimit * periodMicroseconds) / 1000), cpuPeriod: periodMicroseconds }
      : {}),
    ...(memory > 0 ? { memoryLimitBytes: memory } : {}),
  };
}

/** 1024 shares a core; the kernel takes no less than 2 and no more than 262144. */
function cpuShares(milliCpu: number): number {
  return milliCpu === 0 ? 2 : Math.min(262_144, Math.max(2, Math.floor((milliCpu * 1024) / 1000)));
}

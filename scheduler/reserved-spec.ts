import { getCondition } from '../shared/api/condition.js';
import type { Container, ContainerStatus, Pod, PodSpec } from '../shared/api/generated/types.js';
import { amount } from '../shared/api/pod.js';

type Quantities = Readonly<Record<string, string>>;

/**
 * The spec with what is reserved for the pod while it is resized: the most of what it asks for, was promised and has. What the
 * node can never give is not reserved.
 */
export function reservedSpec({ spec, status }: Pod): PodSpec {
  const statuses = new Map<string, ContainerStatus>();
  for (const one of status?.containerStatuses ?? []) if (one.allocatedResources) statuses.set(one.name, one);
  for (const one of status?.initContainerStatuses ?? []) if (one.allocatedResources) statuses.set(one.name, one);
  if (statuses.size === 0) return spec;
  const isInfeasible = getCondition(status?.conditions, 'PodResizePending')?.reason === 'Infeasible';
  const reserve = (container: Container): Container => {
    const { allocatedResources, resources } = statuses.get(container.name) ?? {};
    if (!allocatedResources) return container;
    const asked = isInfeasible ? undefined : container.resources?.requests;
    const requests = most([asked, allocatedResources, resources?.requests]);
    return { ...container, resources: { ...container.resources, requests } };
  };
  const { containers, initContainers } = spec;
  return {
    ...spec,
    containers: containers.map(reserve),
    ...(initContainers ? { initContainers: initContainers.map(reserve) } : {}),
  };
}

function most(all: readonly (Quantities | undefined)[]): Record<string, string> {
  const largest: Record<string, string> = {};
  for (const quantities of all) {
    for (const [name, quantity] of Object.entries(quantities ?? {})) {
      const known = largest[name];
      if (known === undefined || amount(name, quantity) > amount(name, known)) largest[name] = quantity;
    }
  }
  return largest;
}

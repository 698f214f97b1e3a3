import type { Container, Pod, ResourceFieldSelector } from '../../shared/api/generated/types.js';
import { quantityMilliValue, quantityValue } from '../../shared/api/quantity.js';
import { findContainer } from '../pod/pod-spec.js';

/** What of the node pods may use; stands in for limits that are not set. */
export type NodeAllocatable = Readonly<Record<string, string>>;

/** The value behind a resourceFieldRef: a whole number of divisors, rounded up. */
export function resourceFieldValue(
  selector: ResourceFieldSelector,
  pod: Pod,
  own: Container,
  allocatable: NodeAllocatable,
): string {
  const container = selector.containerName ? findContainer(pod, selector.containerName) : own;
  if (!container) throw new Error(`container ${selector.containerName ?? ''} not found`);
  const match = /^(limits|requests)\.(.+)$/.exec(selector.resource);
  if (!match) throw new Error(`unsupported container resource : ${selector.resource}`);
  const name = match[2] ?? '';
  const quantity = match[1] === 'limits' ? limitOf(container, name, allocatable) : requestOf(container, name);
  const divisor = selector.divisor && selector.divisor !== '0' ? selector.divisor : '1';
  // CPU is counted in thousandths so that a divisor of 1m works.
  const amount = name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity);
  const by = name === 'cpu' ? quantityMilliValue(divisor) : quantityValue(divisor);
  return String(Math.ceil(amount / by));
}

function limitOf(container: Container, name: string, allocatable: NodeAllocatable): string {
  return container.resources?.limits?.[name] ?? allocatable[name] ?? '0';
}

function requestOf(container: Container, name: string): string {
  return container.resources?.requests?.[name] ?? '0';
}

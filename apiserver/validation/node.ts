import type { Node } from '../../shared/api/generated/types.js';
import { validateCidr } from './address.js';
import { duplicate, forbidden, invalid, type FieldError } from './field-error.js';
import { validateQuantity } from './resources.js';
import { validateTaints } from './scheduling.js';
import { repeats } from './repeats.js';

export function validateNode(node: Node): FieldError[] {
  const ranges = node.spec?.podCIDRs ?? [];
  const errors = [
    ...validateTaints(node.spec?.taints ?? [], 'metadata.taints'),
    ...validateAmounts(node),
    ...ranges.flatMap((range, index) => validateCidr(`spec.podCIDRs[${index}]`, range)),
  ];
  const families = new Set(ranges.map((range) => range.includes(':')));
  if (ranges.length > families.size)
    errors.push(invalid('spec.podCIDRs', ranges, 'may specify no more than one CIDR for each IP family'));
  const repeated = repeats(ranges);
  for (const [index, range] of ranges.entries())
    if (repeated.has(index)) errors.push(duplicate(`spec.podCIDRs[${index}]`, range));
  return errors;
}

function validateAmounts({ status }: Node): FieldError[] {
  return (['capacity', 'allocatable'] as const).flatMap((field) =>
    Object.entries(status?.[field] ?? {}).flatMap(([name, quantity]) =>
      validateQuantity(name, quantity, `status.${field}.${name}`),
    ),
  );
}

/** The range and the provider's id of a node are given once. */
export function validateNodeUpdate(node: Node, old: Node): FieldError[] {
  const errors = [...validateNode(node), ...validateAddresses(node)];
  const before = old.spec?.podCIDRs ?? [];
  if (before.length > 0 && JSON.stringify(before) !== JSON.stringify(node.spec?.podCIDRs ?? []))
    errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  if (old.spec?.providerID && old.spec.providerID !== node.spec?.providerID)
    errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  return errors;
}

function validateAddresses({ status }: Node): FieldError[] {
  const seen = new Set<string>();
  return (status?.addresses ?? []).flatMap((address, index) => {
    const key = `${address.type} ${address.address}`;
    const errors = seen.has(key) ? [duplicate(`status.addresses[${index}]`, address)] : [];
    seen.add(key);
    return errors;
  });
}

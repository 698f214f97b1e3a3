import type { ResourceClaim, ResourceRequirements } from '../../shared/api/generated/types.js';
import { compareQuantities, parseQuantity, QuantityError } from '../../shared/api/quantity.js';
import { append, duplicate, invalid, notFound, required, type FieldError } from './field-error.js';
import { NOT_NEGATIVE } from './object-meta.js';
import { repeats } from './repeats.js';
import { isHugePages, isIntegerResource, mayOvercommit, validateContainerResourceName } from './resource-name.js';

const NANOS_PER_UNIT = 1_000_000_000n;
/** Not negative, and whole where a part of the thing is no thing (GPUs, pods). */
export function validateQuantity(name: string, text: string, path: string): FieldError[] {
  let nanos: bigint;
  try {
    nanos = parseQuantity(String(text)).nanos;
  } catch (error) {
    if (error instanceof QuantityError) return [invalid(path, text, error.message)];
    throw error;
  }
  if (nanos < 0n) return [invalid(path, text, NOT_NEGATIVE)];
  return isIntegerResource(name) && nanos % NANOS_PER_UNIT !== 0n ? [invalid(path, text, 'must be an integer')] : [];
}

/** Requests and limits of a container, or of a whole pod. */
export function validateResources(
  resources: ResourceRequirements | undefined,
  claimNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  if (!resources) return [];
  const { limits = {}, requests = {} } = resources;
  const errors = [...validateList(limits, `${path}.limits`), ...validateList(requests, `${path}.requests`)];
  if (errors.length === 0)
    for (const [name, request] of Object.entries(requests))
      append(errors, validateAgainstLimit(name, request, limits[name], path));
  const hasCompute = 'cpu' in limits || 'memory' in limits || 'cpu' in requests || 'memory' in requests;
  if (!hasCompute && (Object.keys(limits).some(isHugePages) || Object.keys(requests).some(isHugePages)))
    errors.push({ type: 'FieldValueForbidden', path, message: 'Forbidden: HugePages require cpu or memory' });
  append(errors, validateClaims(resources.claims ?? [], claimNames, `${path}.claims`));
  return errors;
}

function validateList(list: Readonly<Record<string, string>>, path: string): FieldError[] {
  return Object.entries(list).flatMap(([name, quantity]) => [
    ...validateContainerResourceName(name, `${path}[${name}]`),
    ...validateQuantity(name, quantity, `${path}[${name}]`),
  ]);
}

function validateAgainstLimit(name: string, request: string, limit: string | undefined, path: string): FieldError[] {
  if (limit === undefined)
    return mayOvercommit(name)
      ? []
      : [required(`${path}.limits`, 'Limit must be set for non overcommitable resources')];
  const order = compareQuantities(String(request), String(limit));
  if (order !== 0 && !mayOvercommit(name))
    return [invalid(`${path}.requests`, request, `must be equal to ${name} limit of ${limit}`)];
  return order > 0
    ? [invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`)]
    : [];
}

function validateClaims(claims: readonly ResourceClaim[], known: ReadonlySet<string>, path: string): FieldError[] {
  const repeated = repeats(claims.map(({ name, request }) => `${name}/${request ?? ''}`));
  return claims.flatMap(({ name }, index) => {
    const at = `${path}[${index}]`;
    if (!name) return [required(at)];
    if (repeated.has(index)) return [duplicate(at, name)];
    return known.has(name) ? [] : [notFound(at, name)];
  });
}

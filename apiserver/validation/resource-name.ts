import { append, invalid, invalidEach, type FieldError } from './field-error.js';
import { isQualifiedName } from './names.js';

const HUGE_PAGES = 'hugepages-';
const REQUESTS = 'requests.';
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
/** Things that are counted. */
const COUNTED = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);
/** What a container may ask for without a domain in the name. */
const CONTAINER = new Set(COMPUTE);
/** What a quota may limit without a domain in the name. */
const QUOTA = new Set([
  ...COMPUTE,
  ...COMPUTE.map((name) => `${REQUESTS}${name}`),
  ...COMPUTE.map((name) => `limits.${name}`),
  'requests.storage',
  ...COUNTED,
]);

export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');
export const isHugePages = (name: string): boolean => name.startsWith(HUGE_PAGES);
const isQuotaHugePages = (name: string): boolean => isHugePages(name) || name.startsWith(`${REQUESTS}${HUGE_PAGES}`);

/** A resource of a vendor, whose name is good in a quota too. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith(REQUESTS)) return false;
  return isQualifiedName(`${REQUESTS}${name}`).length === 0;
}

/** Whether a part of the thing is no thing (GPUs, pods). */
export const isIntegerResource = (name: string): boolean => COUNTED.has(name) || isExtendedResource(name);

/** Only what the kernel can take back may be promised twice. */
export const mayOvercommit = (name: string): boolean => isNativeResource(name) && !isHugePages(name);

export const isQuotaResource = (name: string): boolean => QUOTA.has(name) || isQuotaHugePages(name);

/** Any name of a resource: known, or with a domain. */
export function validateResourceName(name: string, path: string): FieldError[] {
  const problems = isQualifiedName(name);
  if (problems.length > 0) return invalidEach(path, name, problems);
  if (name.includes('/') || name === 'storage' || isQuotaResource(name)) return [];
  return [invalid(path, name, 'must be a standard resource type or fully qualified')];
}

/** The name of a resource that a container or a pod may ask for. */
export function validateContainerResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (!name.includes('/')) {
    if (!CONTAINER.has(name) && !isHugePages(name))
      errors.push(invalid(path, name, 'must be a standard resource for containers'));
  } else if (!isNativeResource(name) && !isExtendedResource(name))
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"));
  return errors;
}

/** The name of a resource that a quota may limit. */
export function validateQuotaResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (!name.includes('/') && !isQuotaResource(name))
    append(errors, [invalid(path, name, 'must be a standard resource for quota')]);
  return errors;
}

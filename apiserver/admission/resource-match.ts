import type { AdmissionRequest } from './admission.js';

/** Whether a request writes objects of one resource themselves, not a part of them. */
export function isFor(
  { definition, subresource }: AdmissionRequest,
  group: string,
  resource: string,
  wantedSubresource = '',
): boolean {
  const { resource: own } = definition;
  return own.resource === resource && own.group === group && subresource === wantedSubresource;
}

interface Dated {
  readonly metadata: { readonly name: string; readonly creationTimestamp?: string };
}

/** Of several defaults the one that was made last; of those the first by name. */
export function newest<T extends Dated>(candidates: readonly T[]): T | undefined {
  return [...candidates].sort((a, b) => {
    const [left = '', right = ''] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp].map(String);
    if (left !== right) return left < right ? 1 : -1;
    return a.metadata.name < b.metadata.name ? -1 : 1;
  })[0];
}

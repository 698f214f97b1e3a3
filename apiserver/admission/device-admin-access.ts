import { namespaces } from '../../shared/api/generated/resources.js';
import type { ResourceClaimTemplate, ResourceV1ResourceClaim } from '../../shared/api/generated/types.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { internalError, invalid } from '../registry/status-errors.js';
import { forbidden } from '../validation/field-error.js';
import type { AdmissionPlugin, AdmissionRequest } from './admission.js';

const label = 'resource.kubernetes.io/admin-access';

type Claim = ResourceV1ResourceClaim;
type Requests = NonNullable<NonNullable<Claim['spec']['devices']>['requests']>;

/**
 * Devices that others use are given only to namespaces that carry a label for it. In the original the strategy of claims
 * asks for the namespace; strategies here are pure, so it stands among the plugins.
 */
export function deviceAdminAccess(objects: ObjectReader): AdmissionPlugin {
  return {
    name: 'DeviceAdminAccess',
    validate: (request) => {
      const path = adminAccessPath(request);
      if (path === undefined) return;
      const namespace = objects.find(namespaces, undefined, request.namespace ?? '');
      if (!namespace) throw internalError(`${path}: could not retrieve namespace to verify admin access`);
      if (namespace.metadata.labels?.[label] === 'true') return;
      const why = `admin access to devices requires the \`${label}: true\` label on the containing namespace`;
      throw invalid(request.definition.resource, request.name, [forbidden(path, why)]);
    },
  };
}

/** Where a request asks for it for the first time: specs do not change, and what was granted stays granted. */
function adminAccessPath({
  definition,
  operation,
  subresource,
  object,
  oldObject,
}: AdmissionRequest): string | undefined {
  const { group, resource } = definition.resource;
  if (group !== 'resource.k8s.io' || !object) return undefined;
  const isCreate = operation === 'CREATE' && subresource === '';
  if (resource === 'resourceclaimtemplates') {
    return isCreate ? inRequests((object as unknown as ResourceClaimTemplate).spec.spec.devices?.requests) : undefined;
  }
  if (resource !== 'resourceclaims') return undefined;
  const claim = object as unknown as Claim;
  if (isCreate) return inRequests(claim.spec.devices?.requests);
  if (subresource !== 'status' || inResults(oldObject as unknown as Claim | undefined) !== undefined) return undefined;
  return inResults(claim);
}

function inRequests(requests: Requests = []): string | undefined {
  const index = requests.findIndex(({ exactly }) => exactly?.adminAccess === true);
  return index < 0 ? undefined : `spec.devices.requests[${index}].adminAccess`;
}

function inResults(claim: Claim | undefined): string | undefined {
  const results = claim?.status?.allocation?.devices?.results ?? [];
  const index = results.findIndex(({ adminAccess }) => adminAccess === true);
  return index < 0 ? undefined : `status.allocation.devices.results[${index}].adminAccess`;
}

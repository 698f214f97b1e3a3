import { endpointslices, services } from '../../shared/api/generated/resources.js';
import type { APIServiceSpec } from '../../shared/api/generated/types.js';
import type { ObjectReader } from '../registry/object-reader.js';

/** The condition Available, as it stands in the status. */
export interface Availability {
  readonly type: 'Available';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

const no = (reason: string, message: string): Availability => ({ type: 'Available', status: 'False', reason, message });

export const local: Availability = {
  type: 'Available',
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
};
export const passed: Availability = {
  type: 'Available',
  status: 'True',
  reason: 'Passed',
  message: 'all checks passed',
};
export const failedDiscovery = (url: string, why: string): Availability =>
  no('FailedDiscoveryCheck', `failing or missing response from ${url}: ${why}`);

/** Why the Service of an extension server cannot be reached, as far as the stored objects tell; undefined when it can. */
export function serviceFault({ service }: APIServiceSpec, objects: ObjectReader): Availability | undefined {
  const { namespace = '', name = '', port = 443 } = service ?? {};
  const found = objects.find(services, namespace, name);
  const text = `service/${name} in ${JSON.stringify(namespace)}`;
  if (!found) return no('ServiceNotFound', `${text} is not present`);
  if ((found.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined;
  const chosen = found.spec?.ports?.find((one) => one.port === port);
  if (!chosen) return no('ServicePortError', `${text} is not listening on port ${port}`);
  const slices = objects
    .list(endpointslices, namespace)
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name);
  if (slices.length === 0) return no('EndpointsNotFound', `cannot find endpointslices for ${text}`);
  const portName = chosen.name ?? '';
  const hasAddress = slices.some(
    ({ endpoints, ports }) =>
      ports?.some((one) => (one.name ?? '') === portName) === true &&
      (endpoints ?? []).some(({ addresses, conditions }) => addresses.length > 0 && conditions?.ready !== false),
  );
  if (hasAddress) return undefined;
  return no('MissingEndpoints', `endpoints for ${text} have no addresses with port name ${JSON.stringify(portName)}`);
}

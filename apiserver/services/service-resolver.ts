import { services } from '../../shared/api/generated/resources.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { serviceAddress } from '../subresources/proxy-target.js';

export interface ServiceLocation {
  readonly host: string;
  readonly port: number;
}

/** Where a Service is reached; throws a StatusError where it is not. */
export type ResolveService = (namespace: string, name: string, port: number) => ServiceLocation;

/** Chooses a ready backend of a Service: the server need not be on a network that has cluster addresses. */
export function serviceResolver(objects: ObjectReader, random: () => number): ResolveService {
  return (namespace, name, port) => {
    const spec = objects.find(services, namespace, name)?.spec;
    if (spec?.type === 'ExternalName' && spec.externalName) return { host: spec.externalName, port };
    return serviceAddress(namespace, { name, port: String(port) }, objects, random);
  };
}

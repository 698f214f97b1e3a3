import { isIPv4, isIPv6 } from 'node:net';
import type {
  DiscoveryV1EndpointPort,
  Endpoint,
  EndpointAddress,
  EndpointPort,
  Endpoints,
  EndpointSlice,
} from '../../shared/api/generated/types.js';
import { validateIp, validateNonSpecialIp } from './address.js';
import { PROTOCOLS } from './container.js';
import { append, duplicate, invalid, invalidEach, oneOf, required, tooMany, type FieldError } from './field-error.js';
import { isDns1123Label, isDns1123Subdomain, isPortNumber, isQualifiedName } from './names.js';
import { validateImmutable, validateLabels } from './object-meta.js';
import { repeats } from './repeats.js';

const MAX_ADDRESSES = 100;
const MAX_PORTS = 20_000;
const MAX_ENDPOINTS = 1000;
const MAX_ZONE_HINTS = 8;

export function validateEndpoints({ subsets }: Endpoints): FieldError[] {
  return (subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, index) => {
    const at = `subsets[${index}]`;
    const errors: FieldError[] = [];
    if (addresses.length === 0 && notReadyAddresses.length === 0)
      errors.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
    for (const [field, list] of Object.entries({ addresses, notReadyAddresses }))
      for (const [position, address] of list.entries())
        append(errors, validateAddress(address, `${at}.${field}[${position}]`));
    for (const [position, port] of ports.entries())
      append(errors, validateEndpointPort(port, ports.length > 1, `${at}.ports[${position}]`));
    return errors;
  });
}

function validateAddress({ ip, hostname, nodeName }: EndpointAddress, path: string): FieldError[] {
  const errors = validateIp(`${path}.ip`, ip ?? '');
  if (hostname) append(errors, invalidEach(`${path}.hostname`, hostname, isDns1123Label(hostname)));
  if (nodeName !== undefined) append(errors, invalidEach(`${path}.nodeName`, nodeName, isDns1123Subdomain(nodeName)));
  return errors.length > 0 ? errors : validateNonSpecialIp(`${path}.ip`, ip);
}

function validateEndpointPort(port: EndpointPort, isNameRequired: boolean, path: string): FieldError[] {
  const { name, appProtocol } = port;
  const errors: FieldError[] = [];
  if (name) append(errors, invalidEach(`${path}.name`, name, isDns1123Label(name)));
  else if (isNameRequired) errors.push(required(`${path}.name`));
  append(errors, invalidEach(`${path}.port`, port.port, isPortNumber(port.port)));
  append(errors, oneOf(`${path}.protocol`, port.protocol, PROTOCOLS));
  if (appProtocol !== undefined)
    append(errors, invalidEach(`${path}.appProtocol`, appProtocol, isQualifiedName(appProtocol)));
  return errors;
}

export function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  const { addressType } = slice;
  const endpoints = slice.endpoints ?? [];
  const ports = slice.ports ?? [];
  const errors = oneOf('addressType', addressType, ['FQDN', 'IPv4', 'IPv6']);
  if (endpoints.length > MAX_ENDPOINTS) errors.push(tooMany('endpoints', endpoints.length, MAX_ENDPOINTS));
  else
    for (const [index, endpoint] of endpoints.entries())
      append(errors, validateEndpoint(endpoint, addressType, `endpoints[${index}]`));
  if (ports.length > MAX_PORTS) return [...errors, tooMany('ports', ports.length, MAX_PORTS)];
  return [...errors, ...validateSlicePorts(ports)];
}

export function validateEndpointSliceUpdate(slice: EndpointSlice, old: EndpointSlice): FieldError[] {
  return [...validateEndpointSlice(slice), ...validateImmutable(slice.addressType, old.addressType, 'addressType')];
}

function validateEndpoint(endpoint: Endpoint, type: string, path: string): FieldError[] {
  const { hostname, nodeName, hints } = endpoint;
  const addresses = endpoint.addresses ?? [];
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(`${path}.addresses`, 'must contain at least 1 address'));
  else if (addresses.length > MAX_ADDRESSES) errors.push(tooMany(`${path}.addresses`, addresses.length, MAX_ADDRESSES));
  for (const [index, address] of addresses.entries())
    append(errors, validateTypedAddress(address, type, `${path}.addresses[${index}]`));
  if (nodeName !== undefined) append(errors, invalidEach(`${path}.nodeName`, nodeName, isDns1123Subdomain(nodeName)));
  append(errors, validateLabels(endpoint.deprecatedTopology, `${path}.deprecatedTopology`));
  if (hostname !== undefined) append(errors, invalidEach(`${path}.hostname`, hostname, isDns1123Label(hostname)));
  const zones = hints?.forZones ?? [];
  if (zones.length > MAX_ZONE_HINTS) errors.push(tooMany(`${path}.hints.forZones`, zones.length, MAX_ZONE_HINTS));
  const repeated = repeats(zones.map(({ name }) => name));
  for (const [index, { name }] of zones.entries())
    if (repeated.has(index)) errors.push(duplicate(`${path}.hints.forZones[${index}].name`, name));
  return errors;
}

function validateTypedAddress(address: string, type: string, path: string): FieldError[] {
  if (type === 'FQDN') return validateDomain(address, path);
  if (type === 'IPv4' && !isIPv4(address)) return [invalid(path, address, 'must be a valid IPv4 address')];
  if (type === 'IPv6' && !isIPv6(address)) return [invalid(path, address, 'must be a valid IPv6 address')];
  return type === 'IPv4' || type === 'IPv6' ? validateNonSpecialIp(path, address) : [];
}

function validateDomain(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)];
  const plain = name.replace(/\.$/, '');
  const problems = isDns1123Subdomain(plain);
  if (problems.length > 0) return [invalid(path, plain, problems.join(','))];
  return plain.includes('.')
    ? []
    : [invalid(path, plain, 'should be a domain with at least two segments separated by dots')];
}

function validateSlicePorts(ports: readonly DiscoveryV1EndpointPort[]): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap(({ name = '', protocol, appProtocol, port }, index) => {
    const at = `ports[${index}]`;
    const errors = name === '' ? [] : invalidEach(`${at}.name`, name, isDns1123Label(name));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    append(errors, oneOf(`${at}.protocol`, protocol, PROTOCOLS));
    if (port !== undefined) append(errors, invalidEach(`${at}.port`, port, isPortNumber(port)));
    if (appProtocol !== undefined)
      append(errors, invalidEach(`${at}.appProtocol`, appProtocol, isQualifiedName(appProtocol)));
    return errors;
  });
}

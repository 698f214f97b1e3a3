import { isIPv4, isIPv6 } from 'node:net';
import type { LoadBalancerIngress, Service, ServicePort, ServiceSpec } from '../../shared/api/generated/types.js';
import { validateCidr, validateIp, validateNonSpecialIp } from './address.js';
import { PROTOCOLS } from './container.js';
import {
  append,
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  oneOf,
  optionalOneOf,
  required,
  tooMany,
  type FieldError,
} from './field-error.js';
import { validatePortNumberOrName } from './handler.js';
import { isDns1123Label, isDns1123Subdomain, isPortNumber, isQualifiedName } from './names.js';
import { IMMUTABLE, validateLabels } from './object-meta.js';
import { repeats } from './repeats.js';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const FAMILIES = ['IPv4', 'IPv6'];
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const POLICIES = ['Cluster', 'Local'];
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
const MAX_AFFINITY_SECONDS = 86400;

const isHeadless = (spec: ServiceSpec): boolean => (spec.clusterIPs?.[0] ?? spec.clusterIP) === 'None';

export function validateService({ spec }: Service): FieldError[] {
  if (!spec) return [required('spec.ports')];
  const ports = spec.ports ?? [];
  const errors: FieldError[] = [];
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') errors.push(required('spec.ports'));
  return [
    ...errors,
    ...validateType(spec),
    ...validatePorts(ports),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...validateAffinity(spec),
    ...validateClusterIps(spec),
    ...(spec.externalIPs ?? []).flatMap((ip, index) => {
      const problems = validateIp(`spec.externalIPs[${index}]`, ip);
      return problems.length > 0 ? problems : validateNonSpecialIp(`spec.externalIPs[${index}]`, ip);
    }),
    ...oneOf('spec.type', spec.type, TYPES),
    ...validateDuplicates(ports, spec.type),
    ...validateBalancer(spec),
    ...validatePolicies(spec),
  ];
}

function validateType(spec: ServiceSpec): FieldError[] {
  if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && isHeadless(spec))
    return [invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`)];
  if (spec.type !== 'ExternalName') return [];
  const errors: FieldError[] = [];
  for (const field of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const)
    if ((spec[field] ?? '').length > 0)
      errors.push(forbidden(`spec.${field}`, 'may not be set for ExternalName services'));
  // A trailing dot says that the name is complete.
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') return [...errors, required('spec.externalName')];
  return [...errors, ...invalidEach('spec.externalName', name, isDns1123Subdomain(name))];
}

function validatePorts(ports: readonly ServicePort[]): FieldError[] {
  const repeated = repeats(ports.map(({ name }, index) => name || `${index}`));
  return ports.flatMap((port, index) =>
    validatePort(port, ports.length > 1, repeated.has(index), `spec.ports[${index}]`),
  );
}

function validatePort(port: ServicePort, isNameRequired: boolean, isRepeated: boolean, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { name } = port;
  if (name) {
    append(errors, invalidEach(`${path}.name`, name, isDns1123Label(name)));
    if (isRepeated) errors.push(duplicate(`${path}.name`, name));
  } else if (isNameRequired) errors.push(required(`${path}.name`));
  append(errors, invalidEach(`${path}.port`, port.port ?? 0, isPortNumber(port.port ?? 0)));
  append(errors, oneOf(`${path}.protocol`, port.protocol, PROTOCOLS));
  append(errors, validatePortNumberOrName(port.targetPort, `${path}.targetPort`));
  if (port.appProtocol !== undefined)
    append(errors, invalidEach(`${path}.appProtocol`, port.appProtocol, isQualifiedName(port.appProtocol)));
  return errors;
}

function validateDuplicates(ports: readonly ServicePort[], type: string | undefined): FieldError[] {
  const nodePorts = new Set<string>();
  const seen = new Set<string>();
  return ports.flatMap(({ protocol, port, nodePort }, index) => {
    const at = `spec.ports[${index}]`;
    const errors: FieldError[] = [];
    if (nodePort) {
      if (type === 'ClusterIP') errors.push(forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
      if (nodePorts.has(`${protocol}/${nodePort}`)) errors.push(duplicate(`${at}.nodePort`, nodePort));
      nodePorts.add(`${protocol}/${nodePort}`);
    }
    if (seen.has(`${protocol}/${port}`)) errors.push(duplicate(at, { protocol, port }));
    seen.add(`${protocol}/${port}`);
    return errors;
  });
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const errors = oneOf('spec.sessionAffinity', sessionAffinity, ['ClientIP', 'None']);
  const at = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None' && sessionAffinityConfig)
    errors.push(forbidden(at, 'must not be set when session affinity is None'));
  if (sessionAffinity !== 'ClientIP') return errors;
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0;
  if (seconds <= 0 || seconds > MAX_AFFINITY_SECONDS) {
    const text = `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`;
    errors.push(invalid(`${at}.clientIP.timeoutSeconds`, seconds, text));
  }
  return errors;
}

function validateClusterIps(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const { clusterIP = '', clusterIPs = [], ipFamilies = [] } = spec;
  const errors: FieldError[] = [];
  const at = 'spec.clusterIPs';
  if (clusterIP === '' && clusterIPs.length > 0)
    errors.push(forbidden(at, 'must be empty when `clusterIP` is not specified'));
  else if (clusterIP !== '' && clusterIPs.length > 0 && clusterIPs[0] !== clusterIP)
    errors.push(invalid(at, clusterIPs, 'first value must match `clusterIP`'));
  append(errors, optionalOneOf('spec.ipFamilyPolicy', spec.ipFamilyPolicy, FAMILY_POLICIES));
  const repeated = repeats(ipFamilies);
  for (const [index, family] of ipFamilies.entries()) {
    if (!FAMILIES.includes(family)) errors.push(notSupported(`spec.ipFamilies[${index}]`, family, FAMILIES));
    if (repeated.has(index)) errors.push(duplicate(`spec.ipFamilies[${index}]`, family));
  }
  if (clusterIPs.length > 2) errors.push(invalid(at, clusterIPs, 'may only hold up to 2 values'));
  if (isHeadless(spec)) return errors;
  for (const [index, ip] of clusterIPs.entries()) {
    const problems = ip === 'None' ? [invalid(`${at}[${index}]`, ip, "'None' must be the first and only value")] : [];
    append(errors, problems.length > 0 ? problems : validateIp(`${at}[${index}]`, ip));
    const family = ipFamilies[index];
    const isMatching = family === undefined || (family === 'IPv4' ? isIPv4(ip) : isIPv6(ip));
    if (!isMatching)
      errors.push(
        invalid(`${at}[${index}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``),
      );
  }
  return errors;
}

function validateBalancer(spec: ServiceSpec): FieldError[] {
  const isBalancer = spec.type === 'LoadBalancer';
  const onlyBalancer = "may only be used when `type` is 'LoadBalancer'";
  const errors: FieldError[] = [];
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && !isBalancer) errors.push(forbidden('spec.LoadBalancerSourceRanges', onlyBalancer));
  for (const [index, range] of ranges.entries())
    append(errors, validateCidr(`spec.LoadBalancerSourceRanges[${index}]`, range.trim()));
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalancer)
    errors.push(forbidden('spec.allocateLoadBalancerNodePorts', onlyBalancer));
  if (spec.loadBalancerClass === undefined) return errors;
  if (!isBalancer) errors.push(forbidden('spec.loadBalancerClass', onlyBalancer));
  else
    append(
      errors,
      invalidEach('spec.loadBalancerClass', spec.loadBalancerClass, isQualifiedName(spec.loadBalancerClass)),
    );
  return errors;
}

function validatePolicies(spec: ServiceSpec): FieldError[] {
  const { externalTrafficPolicy: policy, healthCheckNodePort: port } = spec;
  const errors: FieldError[] = [];
  const isReachable =
    spec.type === 'LoadBalancer' ||
    spec.type === 'NodePort' ||
    (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
  if (isReachable) append(errors, oneOf('spec.externalTrafficPolicy', policy, POLICIES));
  else if (policy)
    errors.push(invalid('spec.externalTrafficPolicy', policy, 'may only be set for externally-accessible services'));
  // Which port it is, is the allocator's affair.
  if (port && (spec.type !== 'LoadBalancer' || policy !== 'Local')) {
    const text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalid('spec.healthCheckNodePort', port, text));
  }
  append(errors, optionalOneOf('spec.internalTrafficPolicy', spec.internalTrafficPolicy, POLICIES));
  append(errors, optionalOneOf('spec.trafficDistribution', spec.trafficDistribution, DISTRIBUTIONS));
  return errors;
}

/** The address of a Service is kept as long as it has one; the type ExternalName has none. */
export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const errors: FieldError[] = [];
  const spec = service.spec ?? {};
  const before = old.spec ?? {};
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    const next = spec.clusterIPs ?? [];
    for (const [index, ip] of (before.clusterIPs ?? []).entries()) {
      if (index === 0 && next.length === 0)
        errors.push(invalid('spec.clusterIPs[0]', next, 'primary clusterIP can not be unset'));
      else if (next[index] !== undefined && next[index] !== ip)
        errors.push(invalid(`spec.clusterIPs[${index}]`, next, 'may not change once set'));
    }
    const family = before.ipFamilies?.[0];
    if (family !== undefined && !isHeadless(before) && spec.ipFamilies?.[0] !== family)
      errors.push(invalid('spec.ipFamilies[0]', spec.ipFamilies ?? [], 'may not change once set'));
  }
  const needsHealthPort = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
    type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
  if (
    needsHealthPort(spec) &&
    needsHealthPort(before) &&
    before.healthCheckNodePort &&
    spec.healthCheckNodePort !== before.healthCheckNodePort
  )
    errors.push(forbidden('spec.healthCheckNodePort', IMMUTABLE));
  const isSameBalancer = spec.type === 'LoadBalancer' && before.type === 'LoadBalancer';
  if (isSameBalancer && (spec.loadBalancerClass ?? '') !== (before.loadBalancerClass ?? ''))
    errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass ?? null, 'may not change once set'));
  return [...errors, ...validateService(service)];
}

export function validateServiceStatus({ spec, status }: Service): FieldError[] {
  const ingress = status?.loadBalancer?.ingress ?? [];
  const at = 'status.loadBalancer.ingress';
  if (ingress.length > 0 && spec?.type !== 'LoadBalancer')
    return [forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'")];
  if (ingress.length > 1000) return [tooMany(at, ingress.length, 1000)];
  return ingress.flatMap((one, index) => validateIngress(one, `${at}[${index}]`));
}

function validateIngress({ ip, ipMode, hostname }: LoadBalancerIngress, path: string): FieldError[] {
  const errors = ip ? validateIp(`${path}.ip`, ip) : [];
  if (ipMode !== undefined && !ip)
    errors.push(forbidden(`${path}.ipMode`, 'may not be specified when `ip` is not set'));
  else append(errors, optionalOneOf(`${path}.ipMode`, ipMode, ['Proxy', 'VIP']));
  if (!hostname) return errors;
  append(errors, invalidEach(`${path}.hostname`, hostname, isDns1123Subdomain(hostname)));
  if (isIPv4(hostname) || isIPv6(hostname))
    errors.push(invalid(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address'));
  return errors;
}

import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../shared/api/generated/types.js';
import { parseCidr, validateCidr } from './address.js';
import { append, forbidden, invalid, invalidEach, notSupported, required, type FieldError } from './field-error.js';
import { validateLabelSelector } from './label-selector.js';
import { isPortName, isPortNumber } from './names.js';

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];
const POLICY_TYPES = ['Ingress', 'Egress'];

export function validateNetworkPolicy({ spec }: NetworkPolicy): FieldError[] {
  const errors = validateLabelSelector(spec?.podSelector, 'spec.podSelector');
  for (const [index, { ports, from }] of (spec?.ingress ?? []).entries())
    append(errors, validateRule(ports ?? [], from ?? [], `spec.ingress[${index}]`, 'from'));
  for (const [index, { ports, to }] of (spec?.egress ?? []).entries())
    append(errors, validateRule(ports ?? [], to ?? [], `spec.egress[${index}]`, 'to'));
  const types = spec?.policyTypes ?? [];
  if (types.length > POLICY_TYPES.length)
    return [...errors, invalid('spec.policyTypes', types, 'may not specify more than two policyTypes')];
  for (const [index, type] of types.entries())
    if (!POLICY_TYPES.includes(type)) errors.push(notSupported(`spec.policyTypes[${index}]`, type, POLICY_TYPES));
  return errors;
}

function validateRule(
  ports: readonly NetworkPolicyPort[],
  peers: readonly NetworkPolicyPeer[],
  path: string,
  peersField: 'from' | 'to',
): FieldError[] {
  return [
    ...ports.flatMap((port, index) => validatePort(port, `${path}.ports[${index}]`)),
    ...peers.flatMap((peer, index) => validatePeer(peer, `${path}.${peersField}[${index}]`)),
  ];
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (protocol !== undefined && !PROTOCOLS.includes(protocol))
    errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS));
  const at = `${path}.endPort`;
  if (port === undefined) {
    if (endPort !== undefined) errors.push(invalid(at, endPort, 'may not be specified when `port` is not specified'));
    return errors;
  }
  if (typeof port === 'string') {
    if (endPort !== undefined) errors.push(invalid(at, endPort, 'may not be specified when `port` is non-numeric'));
    append(errors, invalidEach(`${path}.port`, port, isPortName(port)));
    return errors;
  }
  append(errors, invalidEach(`${path}.port`, port, isPortNumber(port)));
  if (endPort === undefined) return errors;
  if (endPort < port) errors.push(invalid(at, port, 'must be greater than or equal to `port`'));
  append(errors, invalidEach(at, endPort, isPortNumber(endPort)));
  return errors;
}

function validatePeer({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, path: string): FieldError[] {
  const errors = [
    ...validateLabelSelector(podSelector, `${path}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
    ...(ipBlock ? validateIpBlock(ipBlock, `${path}.ipBlock`) : []),
  ];
  if (!podSelector && !namespaceSelector && !ipBlock) errors.push(required(path, 'must specify a peer'));
  if (ipBlock && (podSelector || namespaceSelector))
    errors.push(forbidden(path, 'may not specify both ipBlock and another peer'));
  return errors;
}

function validateIpBlock({ cidr, except = [] }: IPBlock, path: string): FieldError[] {
  if (!cidr) return [required(`${path}.cidr`)];
  const errors = validateCidr(`${path}.cidr`, cidr);
  const block = parseCidr(cidr);
  if (!block) return errors;
  for (const [index, hole] of except.entries()) {
    const at = `${path}.except[${index}]`;
    append(errors, validateCidr(at, hole));
    const inner = parseCidr(hole);
    if (inner && (inner.bits <= block.bits || !block.contains(inner.address)))
      errors.push(invalid(at, hole, 'must be a strict subset of `cidr`'));
  }
  return errors;
}

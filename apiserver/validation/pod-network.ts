import type { HostAlias, PodDNSConfig, PodSpec } from '../../shared/api/generated/types.js';
import { validateIp } from './address.js';
import { append, forbidden, invalid, invalidEach, required, type FieldError } from './field-error.js';
import { isDns1123Subdomain } from './names.js';

const MAX_NAMESERVERS = 3;
const MAX_SEARCH_PATHS = 32;
const MAX_SEARCH_CHARACTERS = 2048;

export function validateDnsConfig(spec: PodSpec, path: string): FieldError[] {
  const { dnsConfig: config, dnsPolicy } = spec;
  if (dnsPolicy === 'None') {
    if (!config) return [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    if ((config.nameservers ?? []).length === 0) {
      const text = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
      return [required(`${path}.nameservers`, text)];
    }
  }
  return config ? validateConfig(config, path) : [];
}

function validateConfig({ nameservers = [], searches = [], options = [] }: PodDNSConfig, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (nameservers.length > MAX_NAMESERVERS)
    errors.push(invalid(`${path}.nameservers`, nameservers, `must not have more than ${MAX_NAMESERVERS} nameservers`));
  for (const [index, server] of nameservers.entries())
    append(errors, validateIp(`${path}.nameservers[${index}]`, server));
  const at = `${path}.searches`;
  if (searches.length > MAX_SEARCH_PATHS)
    errors.push(invalid(at, searches, `must not have more than ${MAX_SEARCH_PATHS} search paths`));
  if (searches.join(' ').length > MAX_SEARCH_CHARACTERS) {
    const text = `must not have more than ${MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list`;
    errors.push(invalid(at, searches, text));
  }
  for (const [index, search] of searches.entries()) {
    if (search === '.') continue;
    // Underscores may stand at the start of a label and within it (SRV names).
    const plain = search.replace(/\.$/, '');
    const problems = isDns1123Subdomain(plain.replace(/(^|\.)_/g, '$1').replaceAll('_', '-'));
    append(errors, invalidEach(`${at}[${index}]`, plain, problems));
  }
  for (const [index, { name }] of options.entries())
    if (!name) errors.push(required(`${path}.options[${index}]`, 'must not be empty'));
  return errors;
}

export function validateHostAliases(aliases: readonly HostAlias[], path: string): FieldError[] {
  return aliases.flatMap(({ ip, hostnames }, index) => [
    ...validateIp(`${path}[${index}].ip`, ip),
    ...(hostnames ?? []).flatMap((name, at) =>
      invalidEach(`${path}[${index}].hostnames[${at}]`, name, isDns1123Subdomain(name)),
    ),
  ]);
}

/** In the node's network a container's port is the node's; a template may leave it to be filled in later. */
export function validateHostNetwork(spec: PodSpec, isPod: boolean, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.hostNetwork)
    for (const [index, { ports = [] }] of (spec.containers ?? []).entries())
      for (const [portIndex, { hostPort = 0, containerPort }] of ports.entries())
        if ((isPod || hostPort !== 0) && hostPort !== containerPort) {
          const at = `${path}.containers[${index}].ports[${portIndex}].hostPort`;
          errors.push(invalid(at, hostPort, 'must match `containerPort` when `hostNetwork` is true'));
        }
  if (spec.hostUsers !== false) return errors;
  if (spec.hostNetwork) errors.push(forbidden(`${path}.hostNetwork`, 'when `hostUsers` is false'));
  if (spec.hostPID) errors.push(forbidden(`${path}.hostPID`, 'when `hostUsers` is false'));
  if (spec.hostIPC) errors.push(forbidden(`${path}.hostIPC`, 'when `hostUsers` is false'));
  return errors;
}

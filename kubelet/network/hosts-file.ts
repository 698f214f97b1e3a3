import type { Pod } from '../../shared/api/generated/types.js';

const header = '# Kubernetes-managed hosts file.\n';
const hostNetworkHeader = '# Kubernetes-managed hosts file (host network).\n';
const loopback = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
].join('\n');

/** A pod's /etc/hosts: its own addresses and names, then hostAliases; a hostNetwork pod gets the node's file. */
export function hostsFile(pod: Pod, podIPs: readonly string[], clusterDomain: string, hostFile: string): string {
  const aliases = hostAliases(pod);
  if (pod.spec.hostNetwork) return hostNetworkHeader + hostFile + aliases;
  const names = podNames(pod, clusterDomain);
  const own = podIPs.map((ip) => `${ip}\t${names.join('\t')}\n`).join('');
  return `${header}${loopback}\n${own}${aliases}`;
}

function hostAliases(pod: Pod): string {
  const aliases = pod.spec.hostAliases ?? [];
  if (aliases.length === 0) return '';
  const lines = aliases.map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join('\t')}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}

function podNames(pod: Pod, clusterDomain: string): string[] {
  const short = shortHostname(pod);
  const full = fullHostname(pod, clusterDomain);
  return full === undefined ? [short] : [full, short];
}

/** `host.subdomain.namespace.svc.domain`, of pods that have a subdomain. */
function fullHostname(pod: Pod, clusterDomain: string): string | undefined {
  const { subdomain } = pod.spec;
  if (!subdomain || pod.spec.hostnameOverride) return undefined;
  return `${shortHostname(pod)}.${subdomain}.${pod.metadata.namespace ?? ''}.svc.${clusterDomain}`;
}

/** The kernel takes 64 bytes; the original cuts pod names at 63 and what a name may not end with. */
function shortHostname(pod: Pod): string {
  if (pod.spec.hostnameOverride) return pod.spec.hostnameOverride;
  return (pod.spec.hostname || (pod.metadata.name ?? '')).slice(0, 63).replace(/[-.]+$/, '');
}

/** What `hostname` prints inside. */
export function podHostname(pod: Pod, clusterDomain: string): string {
  const full = pod.spec.setHostnameAsFQDN ? fullHostname(pod, clusterDomain) : undefined;
  return full ?? shortHostname(pod);
}

import type { Pod } from '../../shared/api/generated/types.js';

export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}
export interface DnsOptions {
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** The node's own /etc/resolv.conf. */
  readonly host: ResolvConf;
}

/** glibc reads no more. */
const maxNameservers = 3;
const maxSearches = 32;

/** What the pod's dnsPolicy and dnsConfig ask for, as far as programs read it. */
export function podResolvConf(pod: Pod, dns: DnsOptions): ResolvConf {
  const { nameservers, searches, options } = wantedConf(pod, dns);
  return { nameservers: nameservers.slice(0, maxNameservers), searches: searches.slice(0, maxSearches), options };
}

/** What of it is left out, in the original's words. */
export function resolvConfOmissions(pod: Pod, dns: DnsOptions): string[] {
  const wanted = wantedConf(pod, dns);
  const { nameservers, searches } = podResolvConf(pod, dns);
  const told: string[] = [];
  if (wanted.nameservers.length > nameservers.length) {
    const line = `the applied nameserver line is: ${nameservers.join(' ')}`;
    told.push(`Nameserver limits were exceeded, some nameservers have been omitted, ${line}`);
  }
  if (wanted.searches.length > searches.length) {
    const line = `the applied search line is: ${searches.join(' ')}`;
    told.push(`Search Line limits were exceeded, some search paths have been omitted, ${line}`);
  }
  return told;
}

function wantedConf(pod: Pod, dns: DnsOptions): ResolvConf {
  const base = policyConf(pod, dns);
  const config = pod.spec.dnsConfig;
  const options = new Map(base.options.map((option) => [option.split(':')[0] ?? option, option]));
  for (const { name = '', value } of config?.options ?? []) options.set(name, value ? `${name}:${value}` : name);
  return {
    nameservers: unique([...base.nameservers, ...(config?.nameservers ?? [])]),
    searches: unique([...base.searches, ...(config?.searches ?? [])]),
    options: [...options.values()],
  };
}

function policyConf(pod: Pod, dns: DnsOptions): ResolvConf {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'None') return { nameservers: [], searches: [], options: [] };
  const usesCluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork);
  if (!usesCluster || dns.clusterDns.length === 0) return dns.host;
  const domain = dns.clusterDomain;
  const namespace = pod.metadata.namespace ?? 'default';
  return {
    nameservers: dns.clusterDns,
    searches: [`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...dns.host.searches],
    options: ['ndots:5'],
  };
}

export function formatResolvConf(conf: ResolvConf): string {
  const lines = conf.searches.length > 0 ? [`search ${conf.searches.join(' ')}`] : [];
  for (const server of conf.nameservers) lines.push(`nameserver ${server}`);
  if (conf.options.length > 0) lines.push(`options ${conf.options.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = [];
  let searches: string[] = [];
  let options: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0]) nameservers.push(values[0]);
    if (keyword === 'search') searches = values.filter((value) => value !== '.');
    if (keyword === 'options') options = values;
  }
  return { nameservers: nameservers.slice(0, maxNameservers), searches, options };
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];

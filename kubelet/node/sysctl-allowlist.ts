import type { Pod } from '../../shared/api/generated/types.js';

type KernelNamespace = 'ipc' | 'net';

/**
 * What any pod may set: namespaced, and without effect on other pods. The youngest of them came with Linux 4.15, so every
 * kernel that this program runs on has them all.
 */
const safeSysctls: readonly string[] = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
];

const maxLength = 253;
const patternFormat = '([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]';
const patternRegExp = new RegExp(`^${patternFormat}$`);

/** Which sysctls pods may ask for on this node: the safe ones, and those that its administrator names. */
export class SysctlAllowlist {
  readonly #names = new Map<string, KernelNamespace>();
  readonly #prefixes = new Map<string, KernelNamespace>();

  /** `unsafe` are names, or beginnings of names with a `*` behind; throws where one of them cannot be a pod's own. */
  constructor(unsafe: readonly string[] = []) {
    for (const pattern of [...safeSysctls, ...unsafe]) this.#add(pattern);
  }

  /** Why the pod may not have the sysctls it asks for, in the original's words. */
  refusal({ spec }: Pod): string | undefined {
    for (const { name } of spec.securityContext?.sysctls ?? []) {
      const why = this.#problem(sysctlName(name), spec.hostNetwork === true, spec.hostIPC === true);
      if (why !== undefined) return `forbidden sysctl: ${why}`;
    }
    return undefined;
  }

  #add(pattern: string): void {
    if (pattern.length > maxLength || !patternRegExp.test(pattern)) {
      const rule = `must have at most ${maxLength} characters and match regex ${patternFormat}`;
      throw new Error(`sysctl ${JSON.stringify(pattern)} ${rule}`);
    }
    const name = sysctlName(pattern);
    const isPrefix = name.endsWith('*');
    const start = isPrefix ? name.slice(0, -1) : name;
    const namespace = namespaceOf(start);
    if (!namespace) throw new Error(`the sysctl ${JSON.stringify(name)} is not known to be namespaced`);
    (isPrefix ? this.#prefixes : this.#names).set(start, namespace);
  }

  #problem(name: string, hostNetwork: boolean, hostIPC: boolean): string | undefined {
    const namespace = this.#names.get(name) ?? [...this.#prefixes].find(([prefix]) => name.startsWith(prefix))?.[1];
    if (!namespace) return `${JSON.stringify(name)} not allowlisted`;
    // There it would be the node's own that the pod sets.
    const isOfHost = namespace === 'ipc' ? hostIPC : hostNetwork;
    return isOfHost ? `${JSON.stringify(name)} not allowed with host ${namespace} enabled` : undefined;
  }
}

/** With points between its parts: `net/ipv4/conf/eth0.1/arp_filter` is `net.ipv4.conf.eth0/1.arp_filter`, see sysctl.d(5). */
export function sysctlName(name: string): string {
  if (/[./]/.exec(name)?.[0] !== '/') return name;
  return name.replace(/[./]/g, (separator) => (separator === '/' ? '.' : '/'));
}

/** What of the kernel a sysctl belongs to, if it can be different in each pod. */
function namespaceOf(name: string): KernelNamespace | undefined {
  if (name === 'kernel.sem' || /^(kernel\.shm|kernel\.msg|fs\.mqueue\.)/.test(name)) return 'ipc';
  return name.startsWith('net.') ? 'net' : undefined;
}

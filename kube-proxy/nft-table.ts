import type { Element, SetName } from './rule-set.js';

const table = 'ip knarr';

/** A key that is always in the table: when it is missing, somebody emptied the set. Port 0 is never asked for. */
export const sentinel: Element = { set: 'service_ports', key: '0.0.0.0 . tcp . 0', value: 'return' };

const endpointIndex = 'numgen random mod 65536';
const declarations: Readonly<Record<SetName, { kind: 'map' | 'set'; type: string }>> = {
  service_ports: { kind: 'map', type: 'type ipv4_addr . inet_proto . inet_service : verdict' },
  service_endpoints: {
    kind: 'map',
    type: `typeof ip daddr . meta l4proto . th dport . ${endpointIndex} : ip daddr . th dport`,
  },
  node_ports: { kind: 'map', type: 'type inet_proto . inet_service : verdict' },
  node_endpoints: { kind: 'map', type: `typeof meta l4proto . th dport . ${endpointIndex} : ip daddr . th dport` },
  rejected_ports: { kind: 'set', type: 'type ipv4_addr . inet_proto . inet_service' },
  rejected_node_ports: { kind: 'set', type: 'type inet_proto . inet_service' },
  dropped_ports: { kind: 'set', type: 'type ipv4_addr . inet_proto . inet_service' },
  dropped_node_ports: { kind: 'set', type: 'type inet_proto . inet_service' },
  guarded_ports: { kind: 'set', type: 'type ipv4_addr . inet_proto . inet_service' },
  allowed_sources: {
    kind: 'set',
    type: 'type ipv4_addr . ipv4_addr . inet_proto . inet_service; flags interval',
  },
  cluster_ips: { kind: 'set', type: 'type ipv4_addr' },
  service_ranges: { kind: 'set', type: 'type ipv4_addr; flags interval' },
  hairpin: { kind: 'set', type: 'type ipv4_addr . ipv4_addr' },
  local_pods: { kind: 'set', type: 'type ipv4_addr; flags interval' },
};

export interface TableOptions {
  readonly clusterCIDR: string;
  /** The kernel does not show us packets between two ports of one bridge: answers must be made to come back through us. */
  readonly masqueradeWithinBridge: boolean;
}

/**
 * The whole table without elements. A packet's way:
 *
 *      prerouting, output (before any address is changed)
 *          a port for certain sources only, and the source is none of them: dropped
 *      prerouting, output (before Docker's own NAT)
 *          known (address, protocol, port)?  -> service_N: a backend by chance out of N
 *          one of our own addresses, known port? -> node_N
 *      input, forward, output
 *          ports without any backend are refused; those whose policy allows only local ones, dropped
 *      forward, output
 *          still for the address of a Service, so for none of its ports (or no port at all: ICMP): refused
 *          for an address of a service range that no Service has: dropped
 *      postrouting
 *          a pod that reaches itself, clients from outside whose backend is on another host, pods that leave the cluster:
 *          masqueraded. Everyone else keeps the source address.
 */
export function tableText({ clusterCIDR, masqueradeWithinBridge }: TableOptions): string {
  const sets = Object.entries(declarations).map(([name, { kind, type }]) => `  ${kind} ${name} {\n    ${type}\n  }`);
  const refuse = [
    'ip daddr . meta l4proto . th dport @rejected_ports reject',
    'ip daddr . meta l4proto . th dport @dropped_ports drop',
  ];
  const refuseAddresses = ['ct state new ip daddr @cluster_ips reject', 'ct state new ip daddr @service_ranges drop'];
  const guard = [
    'ip daddr . meta l4proto . th dport @guarded_ports ip saddr . ip daddr . meta l4proto . th dport != @allowed_sources drop',
  ];
  const refuseNodePorts = [
    'fib daddr type local meta l4proto . th dport @rejected_node_ports reject',
    'fib daddr type local meta l4proto . th dport @dropped_node_ports drop',
  ];
  const within = masqueradeWithinBridge ? ['ct status dnat ip saddr @local_pods ip daddr @local_pods masquerade'] : [];
  const postrouting = [
    'ip saddr . ip daddr @hairpin masquerade',
    ...within,
    `ct status dnat ip saddr != ${clusterCIDR} fib saddr type != local ip daddr != @local_pods masquerade`,
    `ip saddr @local_pods ip daddr != ${clusterCIDR} fib daddr type != local masquerade`,
  ];
  const chains = [
    chain('services', [
      'ip daddr . meta l4proto . th dport vmap @service_ports',
      'fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @node_ports',
    ]),
    chain('guard_prerouting', ['type filter hook prerouting priority -110;', ...guard]),
    chain('guard_output', ['type filter hook output priority -110;', ...guard]),
    chain('prerouting', ['type nat hook prerouting priority -105;', 'jump services']),
    chain('output', ['type nat hook output priority -105;', 'jump services']),
    chain('postrouting', ['type nat hook postrouting priority 95;', ...postrouting]),
    chain('refuse_input', ['type filter hook input priority -10;', ...refuse, ...refuseNodePorts]),
    chain('refuse_forward', ['type filter hook forward priority -10;', ...refuse, ...refuseAddresses]),
    chain('refuse_output', [
      'type filter hook output priority -10;',
      ...refuse,
      ...refuseNodePorts,
      ...refuseAddresses,
    ]),
  ];
  return `table ${table} {\n${[...sets, ...chains].join('\n')}\n}\n`;
}

function chain(name: string, lines: readonly string[]): string {
  return `  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }`;
}

/** Commands that make the shared chains which pick one of `count` backends. Repeating them changes nothing. */
export function balancerCommands(count: number): string[] {
  const pick = `numgen random mod ${count}`;
  const make = (name: string, rule: string): string[] => [
    `add chain ${table} ${name}`,
    `flush chain ${table} ${name}`,
    `add rule ${table} ${name} ${rule}`,
  ];
  return [
    ...make(`service_${count}`, `dnat ip to ip daddr . meta l4proto . th dport . ${pick} map @service_endpoints`),
    ...make(`node_${count}`, `dnat ip to meta l4proto . th dport . ${pick} map @node_endpoints`),
  ];
}

/** `delete element` / `add element` commands, one a set. */
export function elementCommands(verb: 'add' | 'delete', elements: Iterable<Element>): string[] {
  const bySet = new Map<SetName, string[]>();
  for (const { set, key, value } of elements) {
    const texts = bySet.get(set) ?? [];
    texts.push(verb === 'add' && value !== undefined ? `${key} : ${value}` : key);
    bySet.set(set, texts);
  }
  return [...bySet].map(([set, texts]) => `${verb} element ${table} ${set} { ${texts.join(', ')} }`);
}

/** Commands that remove the table whether it is there or not. */
export const removeTable: readonly string[] = [`add table ${table}`, `delete table ${table}`];

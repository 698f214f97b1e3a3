import type { Execute } from './execute.js';

interface Address {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local?: string; readonly prefixlen?: number }[];
}
interface Port {
  readonly ifname: string;
  readonly master?: string;
  readonly linkinfo?: { readonly info_slave_data?: { readonly hairpin?: boolean } };
}

/** Network of an IPv4 address as `10.244.0.0/24`. */
function network(address: string, bits: number): string {
  const value = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const size = 2 ** (32 - bits);
  const base = Math.floor(value / size) * size;
  return `${[24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join('.')}/${bits}`;
}

/** Ports of the bridges of these networks that may not yet send a packet back to where it came from. */
function portsWithoutHairpin(
  addresses: readonly Address[],
  ports: readonly Port[],
  podCIDRs: readonly string[],
): string[] {
  const bridges = new Set(
    addresses.flatMap((link) =>
      link.addr_info.some(
        (a) => a.local && a.prefixlen !== undefined && podCIDRs.includes(network(a.local, a.prefixlen)),
      )
        ? [link.ifname]
        : [],
    ),
  );
  return ports.flatMap((p) =>
    p.master && bridges.has(p.master) && p.linkinfo?.info_slave_data?.hairpin === false ? [p.ifname] : [],
  );
}

/**
 * Lets a pod reach itself through its Service. Netfilter rewrites the packet while it is still in the bridge, which then has to send
 * it out of the port that it came from; a bridge does that only for ports in hairpin mode.
 */
export async function enableHairpin(execute: Execute, podCIDRs: readonly string[]): Promise<void> {
  const [addresses, ports] = await Promise.all([
    execute('ip', ['-json', '-4', 'addr', 'show', 'type', 'bridge']),
    execute('ip', ['-json', '-details', 'link', 'show', 'type', 'bridge_slave']),
  ]);
  for (const port of portsWithoutHairpin(parse<Address>(addresses), parse<Port>(ports), podCIDRs)) {
    try {
      await execute('ip', ['link', 'set', 'dev', port, 'type', 'bridge_slave', 'hairpin', 'on']);
    } catch (error) {
      // Its pod ended in the meantime.
      if (!/Cannot find device|No such device/.test((error as Error).message)) throw error;
    }
  }
}

/** What `ip -json` printed: nothing at all when there is nothing to show, and empty objects for what a filter left out. */
function parse<T extends { ifname: string }>(text: string): T[] {
  return text.trim() === ''
    ? []
    : (JSON.parse(text) as Partial<T>[]).filter((link): link is T => link.ifname !== undefined);
}

import { createHash } from 'node:crypto';
import type { ServicePort } from '../shared/api/generated/types.js';
import type { ChainObject } from './rule-set.js';

export interface AffinityPorts {
  readonly protocol: string;
  readonly port: ServicePort;
  readonly backends: readonly { readonly address: string; readonly port: number }[];
}

const mostClients = 65_536;
const table = 'ip knarr';

/**
 * A chain that sends a client where it went before. A map remembers client -> backend until the time is over; a client that
 * it does not know is given a backend by chance, and noted. The name carries the backends, so that a chain is never changed under
 * connections: other backends make another chain.
 *
 *      CHAIN: known client? -> its backend
 *             else by chance -> CHAIN_0, CHAIN_1 ...: note the client, go
 */
export function affinityObject(
  uid: string,
  { protocol, port, backends }: AffinityPorts,
  timeoutSeconds: number,
): { name: string; object: ChainObject } {
  const targets = backends.map((b) => `${b.address}:${b.port}`);
  const digest = createHash('sha256')
    .update(JSON.stringify([uid, protocol, port.port, targets, timeoutSeconds]))
    .digest('hex')
    .slice(0, 16);
  const name = `affinity_${digest}`;
  const clients = `clients_${digest}`;
  const own = backends.map((_, i) => `${name}_${i}`);
  const create = [
    `add map ${table} ${clients} { typeof ip saddr : ip daddr . th dport; flags dynamic,timeout; size ${mostClients}; timeout ${timeoutSeconds}s; }`,
    ...[name, ...own].flatMap((chain) => [`add chain ${table} ${chain}`, `flush chain ${table} ${chain}`]),
    ...backends.map(
      (b, i) =>
        `add rule ${table} ${own[i]} meta l4proto ${protocol} update @${clients} { ip saddr : ${b.address} . ${b.port} } dnat to ${b.address}:${b.port}`,
    ),
    `add rule ${table} ${name} meta l4proto ${protocol} dnat ip to ip saddr map @${clients}`,
    `add rule ${table} ${name} numgen random mod ${backends.length} vmap { ${own.map((chain, i) => `${i} : goto ${chain}`).join(', ')} }`,
  ];
  const remove = [
    ...[name, ...own].map((chain) => `flush chain ${table} ${chain}`),
    ...[name, ...own].map((chain) => `delete chain ${table} ${chain}`),
    `delete map ${table} ${clients}`,
  ];
  return { name, object: { create, remove } };
}

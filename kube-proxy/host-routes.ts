import type { Node } from '../shared/api/generated/types.js';
import { ANNOTATION_LINK_ADDRESS } from '../shared/api/well-known.js';
import type { Execute } from './execute.js';

/** A network behind another host. */
export interface Route {
  readonly destination: string;
  readonly via: string;
}

/** Marks our routes in the kernel's table, so that nobody else's is ever touched. */
const routeProtocol = '107';

const internalIP = (node: Node): string | undefined =>
  node.status?.addresses?.find((a) => a.type === 'InternalIP')?.address;
/** The address at which other hosts reach a node. */
export const linkAddressOf = (node: Node): string | undefined =>
  node.metadata.annotations?.[ANNOTATION_LINK_ADDRESS] ?? internalIP(node);

/** Routes to the pods and addresses of the nodes of other hosts. */
export function planRoutes(nodes: readonly Node[], ownLink: string): Route[] {
  const routes = nodes.flatMap((node): Route[] => {
    const via = linkAddressOf(node);
    if (via === undefined || via === ownLink) return [];
    const address = internalIP(node);
    const { podCIDR } = node.spec;
    return [
      ...(podCIDR ? [{ destination: podCIDR, via }] : []),
      ...(address && address !== via ? [{ destination: address, via }] : []),
    ];
  });
  return routes.sort((a, b) => (a.destination < b.destination ? -1 : 1));
}

/** Our routes in the output of `ip -4 route show proto N`. */
export function parseRoutes(text: string): Route[] {
  return text.split('\n').flatMap((line): Route[] => {
    const [, destination, via] = /^(\S+) via (\S+)/.exec(line) ?? [];
    return destination && via ? [{ destination, via }] : [];
  });
}

/** Brings the kernel's table to the plan; returns how many routes changed. */
export async function syncRoutes(execute: Execute, wanted: readonly Route[]): Promise<number> {
  const present = parseRoutes(await execute('ip', ['-4', 'route', 'show', 'proto', routeProtocol]));
  const same = (a: Route, b: Route): boolean => a.destination === b.destination && a.via === b.via;
  const missing = wanted.filter((w) => !present.some((p) => same(p, w)));
  const stale = present.filter((p) => !wanted.some((w) => w.destination === p.destination));
  for (const { destination } of stale) await execute('ip', ['-4', 'route', 'del', destination, 'proto', routeProtocol]);
  for (const { destination, via } of missing)
    await execute('ip', ['-4', 'route', 'replace', destination, 'via', via, 'proto', routeProtocol]);
  return missing.length + stale.length;
}

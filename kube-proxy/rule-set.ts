/** One element of an nftables set or map of the table; `value` is absent in a set. Texts are in nft's own notation. */
export interface Element {
  readonly set: SetName;
  readonly key: string;
  readonly value?: string;
}

/** Sets and maps of the table; nft-table.ts declares them. */
export type SetName =
  | 'service_ports'
  | 'service_endpoints'
  | 'node_ports'
  | 'node_endpoints'
  | 'rejected_ports'
  | 'rejected_node_ports'
  | 'dropped_ports'
  | 'dropped_node_ports'
  | 'guarded_ports'
  | 'allowed_sources'
  | 'cluster_ips'
  | 'service_ranges'
  | 'hairpin'
  | 'local_pods';

/** A chain with what belongs to it: made, replaced and removed as a whole. */
export interface ChainObject {
  /** Commands that make it, or make it anew; run before elements may refer to it. */
  readonly create: readonly string[];
  /** Commands that remove it, run after nothing refers to it any more. */
  readonly remove: readonly string[];
}

/** What one Service (or the node itself) wants in the table. */
export interface Contribution {
  readonly elements: readonly Element[];
  /** By name. */
  readonly objects: ReadonlyMap<string, ChainObject>;
  /** Numbers of endpoints for which a shared balancing chain must be there. */
  readonly balancers: ReadonlySet<number>;
}

/** The addresses and ports of the world that plans depend on. */
export interface ProxyContext {
  /** Names of the nodes of this host. */
  readonly localNodes: ReadonlySet<string>;
  /** podCIDRs of the nodes of this host. */
  readonly localPodCIDRs: readonly string[];
  /** This host's address on the link to other hosts: the address of its load balancers. */
  readonly linkAddress: string;
}

export const noContribution: Contribution = Object.freeze({
  elements: [],
  objects: new Map(),
  balancers: new Set<number>(),
});

import type { ApiserverFlags } from './apiserver-flags.js';
import type { KubeletFlags } from './kubelet-flags.js';
import { freePort, linkAddress } from './host.js';
import type { ClusterState, NodeState } from './state.js';

/** What a person chose on the command line. */
export interface UpChoices {
  readonly name: string;
  readonly nodes: number;
  readonly dockerHost: string;
  readonly securePort: number;
  readonly clusterCIDR: string;
  readonly serviceCIDR: string;
  readonly nodePortRange: string;
  readonly clusterDNS: string;
  readonly clusterDomain: string;
  /** Flags of the API server that are passed on; given ones take the place of those of before. */
  readonly apiserverFlags?: ApiserverFlags;
  /** The same for the kubelets of this host. */
  readonly kubeletFlags?: KubeletFlags;
  readonly nodeCPU?: string;
  readonly nodeMemory?: string;
}

const kubeletHealthPort = 10_248;
const proxyHealthPort = 10_256;
const nodePortStep = 10;

/** Address of a further node on one engine: no other host knows it, its link address is the way to it. */
const furtherNodeAddress = (position: number): string => `10.245.0.${position}`;

/**
 * Decides addresses and ports of a new cluster, or adds nodes to an existing one, whose decisions are kept. The first node
 * has the host's address; every further one an address on loopback.
 */
export async function planCluster(choices: UpChoices, existing: ClusterState | undefined): Promise<ClusterState> {
  const link = existing?.linkAddress ?? linkAddress();
  const securePort = existing?.securePort ?? (await freePort(choices.securePort, '0.0.0.0'));
  const taken = new Set(
    existing
      ? [
          existing.schedulerHealthPort,
          existing.controllerManagerHealthPort,
          ...existing.nodes.flatMap((n) => [n.kubeletHealthPort, n.proxyHealthPort]),
        ]
      : [],
  );
  const claim = async (wanted: number, step = 1): Promise<number> => {
    const port = await freePort(wanted, '127.0.0.1', taken, step);
    taken.add(port);
    return port;
  };
  const schedulerHealthPort = existing?.schedulerHealthPort ?? (await claim(10_259));
  const controllerManagerHealthPort = existing?.controllerManagerHealthPort ?? (await claim(10_257));
  const apiserverFlags = { ...existing?.apiserverFlags, ...choices.apiserverFlags };
  const kubeletFlags = { ...existing?.kubeletFlags, ...choices.kubeletFlags };
  const nodes: NodeState[] = [...(existing?.nodes ?? [])];
  while (nodes.length < choices.nodes) nodes.push(await planNode(nodes.length, link, choices, claim));
  return {
    name: choices.name,
    role: 'server',
    server: `https://127.0.0.1:${securePort}`,
    securePort,
    schedulerHealthPort,
    controllerManagerHealthPort,
    linkAddress: link,
    dockerHost: choices.dockerHost,
    clusterCIDR: existing?.clusterCIDR ?? choices.clusterCIDR,
    serviceCIDR: existing?.serviceCIDR ?? choices.serviceCIDR,
    nodePortRange: existing?.nodePortRange ?? choices.nodePortRange,
    clusterDNS: existing?.clusterDNS ?? choices.clusterDNS,
    clusterDomain: existing?.clusterDomain ?? choices.clusterDomain,
    nodes,
    ...(Object.keys(apiserverFlags).length > 0 ? { apiserverFlags } : {}),
    ...(Object.keys(kubeletFlags).length > 0 ? { kubeletFlags } : {}),
  };
}

/** One node of this host; `index` counts from 0. */
export async function planNode(
  index: number,
  link: string,
  choices: { nodeName?: string; nodeCPU?: string; nodeMemory?: string },
  claim: (wanted: number, step: number) => Promise<number>,
): Promise<NodeState> {
  return {
    name: choices.nodeName ?? `node-${index + 1}`,
    ip: index === 0 ? link : furtherNodeAddress(index + 1),
    index,
    kubeletHealthPort: await claim(kubeletHealthPort + nodePortStep * index, nodePortStep),
    proxyHealthPort: await claim(proxyHealthPort + nodePortStep * index, nodePortStep),
    ...(choices.nodeCPU ? { cpu: choices.nodeCPU } : {}),
    ...(choices.nodeMemory ? { memory: choices.nodeMemory } : {}),
  };
}

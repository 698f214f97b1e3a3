import type Docker from 'dockerode';

import { RuntimeError } from '../container-runtime.js';
import { isStatus } from './docker-error.js';
import type { DockerEngine } from './docker-engine.js';
import { label, type NodeIdentity } from './docker-label.js';

/** Engines from here on drop what enters a bridge from outside unless told not to. */
const FIRST_WITH_GATEWAY_MODE = 28;

export const networkName = ({ cluster, node }: NodeIdentity): string => `knarr-${cluster}-${node}`;

/** Makes the node's pod network the way it should be: one bridge with the podCIDR, without Docker's own masquerading. */
export async function ensureNetwork(engine: DockerEngine, owner: NodeIdentity, podCIDR: string): Promise<void> {
  const name = networkName(owner);
  const present = await inspect(engine, name);
  const subnet = present?.IPAM?.Config?.[0]?.Subnet;
  if (subnet === podCIDR) return;
  if (present) {
    const users = Object.keys(present.Containers ?? {}).length;
    if (users > 0) {
      const why = `Docker network ${name} has subnet ${subnet}, not ${podCIDR}, and ${users} containers use it`;
      throw new RuntimeError('Conflict', why);
    }
    await engine.call('remove network', (docker, abortSignal) => docker.getNetwork(name).remove({ abortSignal }));
  }
  const { Version } = await engine.call('version', (docker) => docker.version());
  await engine.call('create network', (docker, abortSignal) =>
    docker.createNetwork({ ...networkRequest(owner, podCIDR, Number.parseInt(Version, 10)), abortSignal }),
  );
}

/** Removes the node's pod network, if there is one. */
export async function removeNetwork(engine: DockerEngine, owner: NodeIdentity): Promise<void> {
  await engine.call('remove network', async (docker, abortSignal) => {
    try {
      await docker.getNetwork(networkName(owner)).remove({ abortSignal });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  });
}

function networkRequest(owner: NodeIdentity, podCIDR: string, engineMajor: number): Docker.NetworkCreateOptions {
  return {
    Name: networkName(owner),
    Driver: 'bridge',
    CheckDuplicate: true,
    IPAM: { Driver: 'default', Config: [{ Subnet: podCIDR, Gateway: firstAddress(podCIDR) }] },
    Options: {
      // Pods keep their source address between nodes; kube-proxy's table masquerades what leaves the cluster.
      'com.docker.network.bridge.enable_ip_masquerade': 'false',
      ...(engineMajor >= FIRST_WITH_GATEWAY_MODE
        ? { 'com.docker.network.bridge.gateway_mode_ipv4': 'nat-unprotected' }
        : {}),
    },
    Labels: { [label.cluster]: owner.cluster, [label.node]: owner.node },
  };
}

function firstAddress(cidr: string): string {
  const bytes = (cidr.split('/')[0] ?? '').split('.').map(Number);
  return [...bytes.slice(0, 3), (bytes[3] ?? 0) + 1].join('.');
}

async function inspect(engine: DockerEngine, name: string): Promise<Docker.NetworkInspectInfo | undefined> {
  return engine.call('inspect network', async (docker) => {
    try {
      return (await docker.getNetwork(name).inspect()) as Docker.NetworkInspectInfo;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  });
}

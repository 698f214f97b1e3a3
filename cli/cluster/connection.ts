import { join } from 'node:path';
import type { Client } from '../../shared/client/client.js';
import { clientFromKubeconfig } from '../../shared/client/connect.js';
import { systemClock } from '../../shared/clock/clock.js';
import type { ClusterFiles, ClusterState } from './state.js';

/** Kubeconfig with which this host's own commands speak to the cluster: admin on the server, the node's own on a joined host. */
export function ownKubeconfig(files: ClusterFiles, state: ClusterState): string {
  const [node] = state.nodes;
  return state.role === 'server' || !node
    ? join(files.kubeconfigs, 'admin.conf')
    : join(files.node(node.name), 'kubelet.conf');
}

/** A client for this host's own commands. */
export function connect(files: ClusterFiles, state: ClusterState): Promise<Client> {
  return clientFromKubeconfig(ownKubeconfig(files, state), {
    clock: systemClock,
    userAgent: 'knarr',
    timeoutMs: 10_000,
  });
}

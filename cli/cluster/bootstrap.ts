import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configmaps } from '../../shared/api/generated/resources.js';
import type { Client } from '../../shared/client/client.js';
import { type BootstrapOptions, fieldManager, installAddons, waitForDns } from './addons.js';
import { kubeconfigText, pkiFiles } from './identity.js';
import type { ClusterFiles, ClusterState } from './state.js';

/** Writes what every cluster has from the beginning: the way in for joining hosts, and the add-ons. Repeating it changes nothing. */
export async function bootstrapCluster(
  client: Client,
  files: ClusterFiles,
  state: ClusterState,
  options: BootstrapOptions,
): Promise<void> {
  await client.patch(configmaps, 'cluster-info', 'kube-public', 'apply', clusterInfo(files, state), {
    fieldManager,
    force: true,
  });
  await installAddons(client, state, options);
  if (options.wait) await waitForDns(client, options);
}

/** kube-public/cluster-info: all that a host needs, with a token and the hash of the authority's key, to join. As kubeadm writes it. */
function clusterInfo(files: ClusterFiles, state: ClusterState): object {
  const ca = readFileSync(join(files.pki, `${pkiFiles.ca}.crt`), 'utf8');
  const kubeconfig = kubeconfigText({
    server: `https://${state.linkAddress}:${state.securePort}`,
    ca,
    cluster: 'kubernetes',
    user: '',
    credentials: {},
  });
  const network = {
    clusterCIDR: state.clusterCIDR,
    serviceCIDR: state.serviceCIDR,
    clusterDNS: state.clusterDNS,
    clusterDomain: state.clusterDomain,
  };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cluster-info', namespace: 'kube-public' },
    data: { kubeconfig, 'knarr.json': JSON.stringify(network) },
  };
}

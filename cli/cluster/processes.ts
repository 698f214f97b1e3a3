import { hostname } from 'node:os';
import { join } from 'node:path';
import { auditFiles } from './apiserver-flags.js';
import { pkiFiles } from './identity.js';
import type { ClusterFiles, ClusterState, NodeState } from './state.js';

/** One program of the cluster with its flags; `program` is a file name below dist/bin without `.js`. */
export interface ProcessSpec {
  /** Name in status, logs and messages, e.g. `kubelet-node-1`. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Loopback port whose /readyz or /healthz tells its health; absent for the API server, which is asked over TLS. */
  readonly healthPort?: number;
}

/** `{ 'state-dir': x }` -> `['--state-dir', x]`; what is undefined is left out. */
function flags(values: Readonly<Record<string, string | number | readonly string[] | undefined>>): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().flatMap((one) => [`--${name}`, String(one)]),
  );
}

function controlPlane(files: ClusterFiles, state: ClusterState): ProcessSpec[] {
  const pki = (file: string): string => join(files.pki, file);
  const kubeconfig = (name: string): string => join(files.kubeconfigs, `${name}.conf`);
  const apiserver = flags({
    'state-dir': files.root,
    'bind-address': '0.0.0.0',
    'secure-port': state.securePort,
    'advertise-address': state.linkAddress,
    'client-ca-file': pki(`${pkiFiles.ca}.crt`),
    'tls-cert-file': pki(`${pkiFiles.apiserver}.crt`),
    'tls-private-key-file': pki(`${pkiFiles.apiserver}.key`),
    'service-account-key-file': pki(pkiFiles.serviceAccountKey),
    'service-account-issuer': `https://kubernetes.default.svc.${state.clusterDomain}`,
    'encryption-key-file': pki(pkiFiles.encryptionKeys),
    'kubelet-client-certificate': pki(`${pkiFiles.kubeletClient}.crt`),
    'kubelet-client-key': pki(`${pkiFiles.kubeletClient}.key`),
    'proxy-client-cert-file': pki(`${pkiFiles.frontProxyClient}.crt`),
    'proxy-client-key-file': pki(`${pkiFiles.frontProxyClient}.key`),
    'requestheader-client-ca-file': pki(`${pkiFiles.frontProxyCa}.crt`),
    'service-cluster-ip-range': state.serviceCIDR,
    'service-node-port-range': state.nodePortRange,
    'audit-policy-file': auditFiles(files).policy,
    'audit-log-path': auditFiles(files).log,
    'audit-log-maxbackup': 3,
    'audit-log-maxage': 30,
    ...state.apiserverFlags,
  });
  // The supervisor never has two of a kind alive, so one that was killed takes its Lease again at once.
  const leaderElectIdentity = `knarr-${state.name}-${hostname()}`;
  const scheduler = flags({
    kubeconfig: kubeconfig('scheduler'),
    'health-port': state.schedulerHealthPort,
    'leader-elect-identity': leaderElectIdentity,
  });
  const controllerManager = flags({
    kubeconfig: kubeconfig('controller-manager'),
    'health-port': state.controllerManagerHealthPort,
    'leader-elect-identity': leaderElectIdentity,
    'cluster-cidr': state.clusterCIDR,
    'node-cidr-mask-size': 24,
    'root-ca-file': pki(`${pkiFiles.ca}.crt`),
    'cluster-signing-cert-file': pki(`${pkiFiles.ca}.crt`),
    'cluster-signing-key-file': pki(`${pkiFiles.ca}.key`),
  });
  return [
    { name: 'apiserver', program: 'apiserver', args: apiserver },
    {
      name: 'controller-manager',
      program: 'controller-manager',
      healthPort: state.controllerManagerHealthPort,
      args: controllerManager,
    },
    { name: 'scheduler', program: 'scheduler', healthPort: state.schedulerHealthPort, args: scheduler },
  ];
}

function kubeletArgs(files: ClusterFiles, state: ClusterState, node: NodeState): string[] {
  const directory = files.node(node.name);
  return flags({
    kubeconfig: join(directory, 'kubelet.conf'),
    'bootstrap-kubeconfig': state.role === 'agent' ? join(directory, 'bootstrap.conf') : undefined,
    'node-name': node.name,
    'node-ip': node.ip,
    'link-address': state.linkAddress,
    'root-dir': directory,
    'docker-host': state.dockerHost,
    'health-port': node.kubeletHealthPort,
    'cluster-dns': state.clusterDNS,
    'cluster-domain': state.clusterDomain,
    'cluster-name': state.name,
    'client-ca-file': join(files.pki, `${pkiFiles.ca}.crt`),
    'node-cpu': node.cpu,
    'node-memory': node.memory,
    ...state.kubeletFlags,
  });
}

/** The kube-proxy of a node speaks with the node's own credentials: a joined node has no others. */
function proxyArgs(files: ClusterFiles, state: ClusterState, node: NodeState): string[] {
  return flags({
    kubeconfig: join(files.node(node.name), 'kubelet.conf'),
    'node-name': node.name,
    'health-port': node.proxyHealthPort,
    'cluster-cidr': state.clusterCIDR,
  });
}

/** All processes of this host in the order of their start. */
export function plannedProcesses(files: ClusterFiles, state: ClusterState): ProcessSpec[] {
  const nodes = state.nodes.flatMap((node): ProcessSpec[] => [
    {
      name: `kubelet-${node.name}`,
      program: 'kubelet',
      healthPort: node.kubeletHealthPort,
      args: kubeletArgs(files, state, node),
    },
    {
      name: `kube-proxy-${node.name}`,
      program: 'kube-proxy',
      healthPort: node.proxyHealthPort,
      args: proxyArgs(files, state, node),
    },
  ]);
  return [...(state.role === 'server' ? controlPlane(files, state) : []), ...nodes];
}

/** The commands that undo on the host what the kubelets and the kube-proxies have done; one proxy's rules are those of all. */
export function cleanupProcesses(files: ClusterFiles, state: ClusterState): ProcessSpec[] {
  const kubelets = state.nodes.map((node) => ({
    name: `kubelet-${node.name}`,
    program: 'kubelet',
    args: [...kubeletArgs(files, state, node), '--cleanup'],
  }));
  const proxies = state.nodes.slice(0, 1).map((node) => ({
    name: 'kube-proxy',
    program: 'kube-proxy',
    args: [...proxyArgs(files, state, node), '--cleanup'],
  }));
  return [...kubelets, ...proxies];
}

/** The commands that stop the containers of each node and leave everything else. */
export function stopPodsProcesses(files: ClusterFiles, state: ClusterState): ProcessSpec[] {
  return state.nodes.map((node) => ({
    name: `kubelet-${node.name}`,
    program: 'kubelet',
    args: [...kubeletArgs(files, state, node), '--stop-pods'],
  }));
}

import { Command, InvalidArgumentError } from 'commander';
import { SysctlAllowlist } from './node/sysctl-allowlist.js';

export interface Flags {
  readonly kubeconfig: string;
  readonly bootstrapKubeconfig?: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly linkAddress?: string;
  readonly rootDir: string;
  readonly dockerHost: string;
  readonly port: number;
  readonly healthPort: number;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly clientCaFile: string;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodeCpu?: string;
  readonly nodeMemory?: string;
  readonly allowedUnsafeSysctls: SysctlAllowlist;
  readonly clusterName: string;
  readonly cleanup?: boolean;
  readonly stopPods?: boolean;
}

/** Reads the command line; an error or --help ends the process as commander does it. */
export function readFlags(argv?: readonly string[]): Flags {
  return new Command('kubelet')
    .description('Runs the pods of one node.')
    .requiredOption('--kubeconfig <file>', "the node's credentials; written here after a join")
    .option('--bootstrap-kubeconfig <file>', 'credentials that may ask for a certificate, for a first start')
    .requiredOption('--node-name <name>', 'name of the Node')
    .requiredOption('--node-ip <address>', "the Node's InternalIP, where the kubelet listens")
    .option('--link-address <address>', 'where other hosts reach this one (default: the node IP)')
    .requiredOption('--root-dir <directory>', 'volumes, certificates and files of pods')
    .option('--docker-host <url>', 'the Docker Engine', 'unix:///var/run/docker.sock')
    .option('--port <port>', "port of the kubelet's API", port, 10_250)
    .option('--health-port <port>', 'loopback port of /healthz, /readyz and /metrics', port, 10_248)
    .option('--cluster-dns <addresses>', 'name servers of pods, separated by commas', list, ['10.96.0.10'])
    .option('--cluster-domain <domain>', 'domain of the cluster', 'cluster.local')
    .requiredOption('--client-ca-file <file>', 'authority that signs who may use the API of this kubelet')
    .option('--node-labels <labels>', 'key=value, separated by commas', labels, {})
    .option('--node-cpu <quantity>', 'CPU to report instead of the whole machine')
    .option('--node-memory <quantity>', 'memory to report instead of the whole machine')
    .option(
      '--allowed-unsafe-sysctls <names>',
      'what pods may set beside the safe sysctls: names, or beginnings of names with a * behind, separated by commas',
      sysctls,
      new SysctlAllowlist(),
    )
    .option('--cluster-name <name>', 'which cluster on this engine', 'default')
    .option('--cleanup', 'removes the containers and the network of this node, and ends')
    .option('--stop-pods', 'stops the containers of this node, and ends; the next start runs the pods again')
    .parse(argv)
    .opts<Flags>();
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new InvalidArgumentError('not a port');
  return value;
}

const list = (text: string): string[] => text.split(',').filter((part) => part !== '');

function sysctls(text: string): SysctlAllowlist {
  try {
    return new SysctlAllowlist(list(text));
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function labels(text: string): Record<string, string> {
  const pairs = list(text).map((part): [string, string] => {
    const equals = part.indexOf('=');
    if (equals < 1) throw new InvalidArgumentError(`${JSON.stringify(part)} is not of the form key=value`);
    return [part.slice(0, equals), part.slice(equals + 1)];
  });
  return Object.fromEntries(pairs);
}

import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One node that this host runs. */
export interface NodeState {
  readonly name: string;
  /** The node's InternalIP. */
  readonly ip: string;
  /** 0-based position among the nodes of this host; health ports derive from it. */
  readonly index: number;
  readonly kubeletHealthPort: number;
  readonly proxyHealthPort: number;
  readonly cpu?: string;
  readonly memory?: string;
}

/** What `up` or `join` decided once and every later start keeps. */
export interface ClusterState {
  readonly name: string;
  /** `server` runs the control plane here; `agent` has joined another host's. */
  readonly role: 'server' | 'agent';
  /** URL of the API server as this host reaches it. */
  readonly server: string;
  readonly securePort: number;
  readonly schedulerHealthPort: number;
  readonly controllerManagerHealthPort: number;
  /** This host's address on the link to the other hosts. */
  readonly linkAddress: string;
  readonly dockerHost: string;
  readonly clusterCIDR: string;
  readonly serviceCIDR: string;
  readonly nodePortRange: string;
  readonly clusterDNS: string;
  readonly clusterDomain: string;
  readonly nodes: readonly NodeState[];
  /** What is passed on to the API server: single sign-on and the like. */
  readonly apiserverFlags?: Readonly<Record<string, string | readonly string[]>>;
  /** What is passed on to every kubelet of this host. */
  readonly kubeletFlags?: Readonly<Record<string, string>>;
}

/** Where the files of one cluster are. */
export interface ClusterFiles {
  readonly root: string;
  readonly state: string;
  readonly pki: string;
  readonly logs: string;
  readonly kubeconfigs: string;
  readonly supervisorPid: string;
  readonly node: (name: string) => string;
}

/** Paths below `~/.knarr/CLUSTER`. */
export function clusterFiles(home: string, cluster: string): ClusterFiles {
  const root = join(home, '.knarr', cluster);
  return {
    root,
    state: join(root, 'cluster.json'),
    pki: join(root, 'pki'),
    logs: join(root, 'logs'),
    kubeconfigs: join(root, 'kubeconfigs'),
    supervisorPid: join(root, 'supervisor.pid'),
    node: (name) => join(root, 'nodes', name),
  };
}

/** The cluster's saved decisions; undefined where it has never been started. */
export function readState(files: ClusterFiles): ClusterState | undefined {
  if (!existsSync(files.state)) return undefined;
  return JSON.parse(readFileSync(files.state, 'utf8')) as ClusterState;
}

export function writeState(files: ClusterFiles, state: ClusterState): void {
  makePrivateDirectory(files.root);
  writePrivateFile(files.state, `${JSON.stringify(state, null, 2)}\n`);
}

/** Creates a folder that only its owner can enter. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
}

/** Writes a whole file or nothing; only its owner can read it. */
export function writePrivateFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}

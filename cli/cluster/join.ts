import { existsSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join as joinPath } from 'node:path';
import type { Client } from '../../shared/client/client.js';
import { systemClock } from '../../shared/clock/clock.js';
import { ensureAddonImage } from './addons.js';
import { connect, ownKubeconfig } from './connection.js';
import { Failure } from './failure.js';
import { freePort, requireEngine } from './host.js';
import { kubeconfigText, pkiFiles } from './identity.js';
import { addressTowards, checkToken, type ClusterInfo, fetchClusterInfo, parseServer } from './join-server.js';
import type { KubeletFlags } from './kubelet-flags.js';
import { planNode } from './plan.js';
import type { Progress } from './progress.js';
import { waitForCluster } from './readiness.js';
import {
  type ClusterFiles,
  clusterFiles,
  type ClusterState,
  makePrivateDirectory,
  readState,
  writePrivateFile,
  writeState,
} from './state.js';
import { requireOnlyCluster, runningSupervisor } from './supervision.js';
import { startProcesses } from './up.js';

export interface JoinOptions {
  readonly name: string;
  readonly server: string;
  readonly token: string;
  /** `sha256:` and the hash of the authority's public key. */
  readonly caHash: string;
  readonly nodeName?: string;
  readonly dockerHost: string;
  readonly nodeCPU?: string;
  readonly nodeMemory?: string;
  /** Passed on to the kubelet; given ones take the place of those of before. */
  readonly kubeletFlags?: KubeletFlags;
  readonly timeoutMs: number;
}

const wayBackTimeoutMs = 10_000;
const nodeNameForm = /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * Makes this host a node of another host's cluster. Nothing is written or started before server, hash and token are known
 * to be good. Joining the same server again goes on where it stopped.
 */
export async function join(options: JoinOptions, progress: Progress): Promise<ClusterState> {
  const home = homedir();
  const files = clusterFiles(home, options.name);
  const url = parseServer(options.server);
  const existing = readState(files);
  if (existing && (existing.role !== 'agent' || existing.server !== url.origin))
    throw new Failure(
      `This host already has a cluster "${options.name}" (${existing.server}). Leave it first with: knarr down --name ${options.name}`,
    );
  requireOnlyCluster(home, options.name);
  await requireEngine(options.dockerHost);
  progress.step(`asking ${url.origin}`);
  const local = await addressTowards(url);
  const info = await fetchClusterInfo(url, options.caHash);
  const planned = existing ?? (await planAgent(url, local, info, options));
  const isChanged = Object.keys(options.kubeletFlags ?? {}).length > 0;
  const state = isChanged
    ? { ...planned, kubeletFlags: { ...planned.kubeletFlags, ...options.kubeletFlags } }
    : planned;
  const name = nodeOf(state).name;
  if (!existsSync(ownKubeconfig(files, state))) {
    await checkToken(url, { ca: info.ca, token: options.token, name });
    writeCredentials(files, state, info.ca, options.token);
  }
  writeState(files, state);
  if (!runningSupervisor(files) || isChanged) await startProcesses(files, state, home);
  // The add-ons' pods may come here, and no registry has their image.
  progress.step("making the add-ons' image");
  await ensureAddonImage(state.dockerHost);
  await waitForNode(files, state, options.timeoutMs, progress);
  return state;
}

/** A joined host has one node. */
function nodeOf(state: ClusterState): ClusterState['nodes'][number] {
  const [node] = state.nodes;
  if (!node) throw new Error(`the state of cluster ${state.name} has no node`);
  return node;
}

async function planAgent(url: URL, local: string, info: ClusterInfo, options: JoinOptions): Promise<ClusterState> {
  const { name, dockerHost, nodeName = hostname().toLowerCase() } = options;
  if (!nodeNameForm.test(nodeName))
    throw new Failure(
      `"${nodeName}" cannot be the name of a node: only lower-case letters, digits, - and . are allowed. Choose one with: --node-name`,
    );
  const { clusterCIDR, serviceCIDR, clusterDNS, clusterDomain } = info;
  const claim = (wanted: number, step: number): Promise<number> => freePort(wanted, '127.0.0.1', new Set(), step);
  return {
    name,
    role: 'agent',
    server: url.origin,
    securePort: Number(url.port),
    schedulerHealthPort: 0,
    controllerManagerHealthPort: 0,
    linkAddress: local,
    dockerHost,
    nodePortRange: '',
    clusterCIDR,
    serviceCIDR,
    clusterDNS,
    clusterDomain,
    nodes: [await planNode(0, local, { ...options, nodeName }, claim)],
  };
}

function writeCredentials(files: ClusterFiles, state: ClusterState, ca: string, token: string): void {
  const directory = files.node(nodeOf(state).name);
  makePrivateDirectory(directory);
  const credentials = { server: state.server, ca, cluster: `knarr-${state.name}`, user: 'bootstrap' };
  writePrivateFile(joinPath(directory, 'bootstrap.conf'), kubeconfigText({ ...credentials, credentials: { token } }));
  makePrivateDirectory(files.pki);
  writeFileSync(joinPath(files.pki, `${pkiFiles.ca}.crt`), ca);
}

/** Waits until the node is Ready, then has the server call the node's kubelet: logs and exec need that direction too. */
async function waitForNode(
  files: ClusterFiles,
  state: ClusterState,
  timeoutMs: number,
  progress: Progress,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const node = nodeOf(state);
  progress.step('waiting for a certificate');
  while (!existsSync(ownKubeconfig(files, state))) {
    if (performance.now() > deadline)
      throw new Failure(
        `The server gave this node no certificate within ${timeoutMs / 1000} s. The logs are in ${files.logs}`,
      );
    await systemClock.sleep(50);
  }
  const client = await connect(files, state);
  const leftMs = (): number => Math.max(1000, deadline - performance.now());
  try {
    await waitForCluster({ client, nodes: [node.name], timeoutMs: leftMs(), progress, logs: files.logs });
    progress.step('checking that the server reaches this node');
    await checkWayBack(client, node, performance.now() + Math.min(leftMs(), wayBackTimeoutMs));
  } finally {
    client.close();
  }
}

/** The kubelet may be a moment later than its node: it listens once its serving certificate is signed. */
async function checkWayBack(client: Client, node: ClusterState['nodes'][number], deadline: number): Promise<void> {
  for (;;) {
    const problem = await wayBackProblem(client, node.name);
    if (problem === undefined) return;
    if (performance.now() > deadline)
      throw new Failure(
        `This machine is a node now, but the server does not reach it at ${node.ip}:10250 (${problem}), so logs and exec would fail. Open the port, or mend the routes, then type the same command again`,
      );
    await systemClock.sleep(250);
  }
}

async function wayBackProblem(client: Client, node: string): Promise<string | undefined> {
  try {
    const { status } = await client.raw({ path: `/api/v1/nodes/${node}/proxy/healthz` });
    return status === 200 ? undefined : `status ${status}`;
  } catch (error) {
    return (error as Error).message;
  }
}

import { writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join as joinPath } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import type { ConfigMap } from '../../shared/api/generated/types.js';
import { clientFromAccess } from '../../shared/client/connect.js';
import type { Client } from '../../shared/client/client.js';
import type { Kubeconfig } from '../../shared/client/kubeconfig.js';
import { systemClock } from '../../shared/clock/clock.js';
import { ensureAddonImage } from './addons.js';
import { Failure } from './failure.js';
import { connect } from './connection.js';
import { freePort, requireEngine } from './host.js';
import { kubeconfigText, pkiFiles } from './identity.js';
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
import { requireOnlyCluster } from './supervision.js';
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
  readonly timeoutMs: number;
}

interface ClusterInfo {
  readonly ca: string;
  readonly clusterCIDR: string;
  readonly serviceCIDR: string;
  readonly clusterDNS: string;
  readonly clusterDomain: string;
}

const connectTimeoutMs = 10_000;

/** Makes this host a node of another host's cluster. */
export async function join(options: JoinOptions, progress: Progress): Promise<ClusterState> {
  const home = homedir();
  const files = clusterFiles(home, options.name);
  const existing = readState(files);
  if (existing)
    throw new Failure(
      `This host already has a cluster "${options.name}" (${existing.server}). Leave it first with: knarr down --name ${options.name}`,
    );
  requireOnlyCluster(home, options.name);
  await requireEngine(options.dockerHost);
  const url = parseServer(options.server);
  progress.step(`asking ${url.origin}`);
  const local = await localAddress(url);
  const info = await fetchClusterInfo(url, options.caHash);
  const claim = (wanted: number, step: number): Promise<number> => freePort(wanted, '127.0.0.1', new Set(), step);
  const node = await planNode(0, local, { nodeName: options.nodeName ?? hostname().toLowerCase(), ...options }, claim);
  const state: ClusterState = {
    name: options.name,
    role: 'agent',
    server: url.origin,
    securePort: Number(url.port),
    schedulerHealthPort: 0,
    controllerManagerHealthPort: 0,
    linkAddress: local,
    dockerHost: options.dockerHost,
    nodePortRange: '',
    clusterCIDR: info.clusterCIDR,
    serviceCIDR: info.serviceCIDR,
    clusterDNS: info.clusterDNS,
    clusterDomain: info.clusterDomain,
    nodes: [node],
  };
  writeCredentials(files, state, info.ca, options.token);
  writeState(files, state);
  await startProcesses(files, state, home);
  // The add-ons' pods may come here, and no registry has their image.
  await ensureAddonImage(state.dockerHost);
  await waitForNode(files, state, options.timeoutMs, progress);
  return state;
}

function parseServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:')
    throw new Failure(`"${text}" is not a server's address; it looks like https://192.168.1.10:6443`);
  if (url.port === '') url.port = '6443';
  return url;
}

/** Our address on the interface that routes to the server; a server that cannot be reached is told in one sentence. */
function localAddress(url: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    // The certificate is checked by its hash afterwards, once the authority is known.
    const socket = tlsConnect({
      host: url.hostname,
      port: Number(url.port),
      rejectUnauthorized: false,
      timeout: connectTimeoutMs,
    });
    const fail = (reason: string): void => {
      socket.destroy();
      reject(
        new Failure(
          `The server ${url.origin} cannot be reached from here (${reason}). Check the address, and that no firewall closes port ${url.port}`,
        ),
      );
    };
    socket.once('secureConnect', () => {
      const address = socket.localAddress ?? '';
      socket.destroy();
      resolve(address.replace(/^::ffff:/, ''));
    });
    socket.once('timeout', () => fail(`no answer within ${connectTimeoutMs / 1000} s`));
    socket.once('error', (error) => fail(error.message));
  });
}

/** Reads kube-public/cluster-info without trust, checks the authority by its hash, then reads it again with trust. */
async function fetchClusterInfo(url: URL, caHash: string): Promise<ClusterInfo> {
  const { publicKeyHash } = await import('../../shared/pki/certificate.js');
  const unverified = await readClusterInfo(
    clientFromAccess(
      { connection: { server: url.origin, insecureSkipTlsVerify: true } },
      { clock: systemClock, userAgent: 'knarr-join' },
    ),
  );
  const hash = publicKeyHash(unverified.ca);
  if (hash !== caHash) {
    throw new Failure(
      `The server's authority has the hash ${hash}, not ${caHash}: either the hash is mistyped, or somebody else answers at ${url.origin}. Nothing was joined`,
    );
  }
  return readClusterInfo(
    clientFromAccess(
      { connection: { server: url.origin, ca: unverified.ca } },
      { clock: systemClock, userAgent: 'knarr-join' },
    ),
  );
}

async function readClusterInfo(client: Client): Promise<ClusterInfo> {
  try {
    const { status, body } = await client.raw({ path: '/api/v1/namespaces/kube-public/configmaps/cluster-info' });
    if (status !== 200)
      throw new Failure(
        `${client.server} does not tell how to join it (status ${status}). Is it a Knarr server, and is knarr up finished there?`,
      );
    const { data = {} } = JSON.parse(body.toString()) as ConfigMap;
    const kubeconfig = JSON.parse(data['kubeconfig'] ?? '{}') as Kubeconfig;
    const ca = Buffer.from(kubeconfig.clusters?.[0]?.cluster['certificate-authority-data'] ?? '', 'base64').toString();
    return { ...(JSON.parse(data['knarr.json'] ?? '{}') as Omit<ClusterInfo, 'ca'>), ca };
  } finally {
    client.close();
  }
}

function writeCredentials(files: ClusterFiles, state: ClusterState, ca: string, token: string): void {
  for (const node of state.nodes) {
    makePrivateDirectory(files.node(node.name));
    const text = kubeconfigText({
      server: state.server,
      ca,
      cluster: `knarr-${state.name}`,
      user: 'bootstrap',
      credentials: { token },
    });
    writePrivateFile(joinPath(files.node(node.name), 'bootstrap.conf'), text);
  }
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
  const [node] = state.nodes;
  if (!node) return;
  progress.step('waiting for a certificate');
  let client: Client | undefined;
  while (!client) {
    client = await connect(files, state).catch(() => undefined);
    if (!client && performance.now() > deadline)
      throw new Failure(
        `The server gave this node no certificate within ${timeoutMs / 1000} s: is the token still valid? The logs are in ${files.logs}`,
      );
    if (!client) await systemClock.sleep(50);
  }
  try {
    await waitForCluster({
      client,
      nodes: [node.name],
      timeoutMs: Math.max(1000, deadline - performance.now()),
      progress,
      logs: files.logs,
    });
    progress.step('checking that the server reaches this node');
    const { status } = await client.raw({ path: `/api/v1/nodes/${node.name}/proxy/healthz` });
    if (status !== 200)
      throw new Failure(
        `This node reaches the server, but the server does not reach this node at ${node.ip}:10250 (status ${status}): logs and exec would fail. Open the port, or check the routes`,
      );
  } finally {
    client.close();
  }
}

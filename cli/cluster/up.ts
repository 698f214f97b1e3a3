import { ensureAuditPolicy } from './apiserver-flags.js';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Kubeconfig } from '../../shared/client/kubeconfig.js';
import { bootstrapCluster } from './bootstrap.js';
import { connect } from './connection.js';
import { Failure } from './failure.js';
import { addLoopbackAddress, hostAddresses, requireEngine } from './host.js';
import { ensureIdentity } from './identity.js';
import { editKubeconfig, kubeconfigOwner, kubeconfigPath, mergeKubeconfig } from './kubeconfig-file.js';
import { planCluster, type UpChoices } from './plan.js';
import type { Progress } from './progress.js';
import { waitForCluster } from './readiness.js';
import { type ClusterFiles, clusterFiles, type ClusterState, readState, writeState } from './state.js';
import { requireOnlyCluster, runningSupervisor, startSupervisor, stopSupervisor } from './supervision.js';

export interface UpOptions extends UpChoices {
  /** Also waits until the cluster's DNS answers. */
  readonly wait: boolean;
  readonly timeoutMs: number;
}

/** What is told when the cluster is ready. */
export interface UpResult {
  readonly state: ClusterState;
  readonly kubeconfig: string;
  readonly context: string;
  readonly wasRunning: boolean;
}

/** Name of the kubeconfig's context. */
export const contextName = (cluster: string): string => `knarr-${cluster}`;

/** Starts a cluster on this machine, or what is missing of it, and waits until it is ready. */
export async function up(options: UpOptions, progress: Progress): Promise<UpResult> {
  const home = homedir();
  const files = clusterFiles(home, options.name);
  const existing = readState(files);
  if (existing?.role === 'agent')
    throw new Failure(`This host has joined ${existing.server}; leave it with: knarr down --name ${options.name}`);
  requireOnlyCluster(home, options.name);
  await requireEngine(existing?.dockerHost ?? options.dockerHost);
  const wasRunning = runningSupervisor(files) !== undefined;
  const isChanged = Object.keys({ ...options.apiserverFlags, ...options.kubeletFlags }).length > 0;
  if (existing && wasRunning && existing.nodes.length >= options.nodes && !isChanged) {
    await finish(files, existing, options, progress);
    return result(existing, true);
  }
  progress.step(existing ? 'starting the cluster' : 'making certificates');
  await stopSupervisor(files);
  const state = await planCluster(options, existing);
  writeState(files, state);
  await startProcesses(files, state, home);
  await finish(files, state, options, progress);
  return result(state, wasRunning);
}

/** Starts a cluster that was stopped. */
export async function start(name: string, timeoutMs: number, progress: Progress): Promise<UpResult> {
  const home = homedir();
  const files = clusterFiles(home, name);
  const state = readState(files);
  if (!state) throw new Failure(`There is no cluster "${name}". Start one with: knarr up`);
  requireOnlyCluster(home, name);
  await requireEngine(state.dockerHost);
  const wasRunning = runningSupervisor(files) !== undefined;
  if (!wasRunning) await startProcesses(files, state, home);
  const client = await connect(files, state);
  await waitForCluster({ client, nodes: state.nodes.map((n) => n.name), timeoutMs, progress, logs: files.logs });
  client.close();
  return result(state, wasRunning);
}

/** Certificates, addresses, supervisor. */
export async function startProcesses(files: ClusterFiles, state: ClusterState, home: string): Promise<void> {
  // What a killed supervisor left must be gone before: its API server would answer us and then end.
  await stopSupervisor(files);
  await prepareHost(files, state);
  startSupervisor(files, home, state.name);
}

/** What the processes of this host need before they start. */
async function prepareHost(files: ClusterFiles, state: ClusterState): Promise<void> {
  if (state.role === 'server') {
    await ensureIdentity(files, state, hostAddresses());
    ensureAuditPolicy(files);
  }
  for (const node of state.nodes) if (node.ip !== state.linkAddress) addLoopbackAddress(node.ip);
}

/** Decides and prepares a cluster without starting it: the processes are started one by one with `knarr internal run`. */
export async function initialise(choices: UpChoices): Promise<ClusterState> {
  const files = clusterFiles(homedir(), choices.name);
  const state = await planCluster(choices, readState(files));
  writeState(files, state);
  await prepareHost(files, state);
  return state;
}

/** Waits for a cluster whose processes were started one by one, and gives it context and add-ons. */
export async function bootstrap(
  name: string,
  options: { wait: boolean; timeoutMs: number },
  progress: Progress,
): Promise<UpResult> {
  const files = clusterFiles(homedir(), name);
  const state = readState(files);
  if (!state) throw new Failure(`There is no cluster "${name}". Prepare one with: knarr internal init`);
  await finish(files, state, options, progress);
  return result(state, true);
}

async function finish(
  files: ClusterFiles,
  state: ClusterState,
  options: Pick<UpOptions, 'wait' | 'timeoutMs'>,
  progress: Progress,
): Promise<void> {
  const client = await connect(files, state);
  try {
    await waitForCluster({
      client,
      nodes: state.nodes.map((n) => n.name),
      timeoutMs: options.timeoutMs,
      progress,
      logs: files.logs,
    });
    writeContext(files, state);
    await bootstrapCluster(client, files, state, { wait: options.wait, timeoutMs: options.timeoutMs, progress });
  } finally {
    client.close();
  }
}

function result(state: ClusterState, wasRunning: boolean): UpResult {
  return { state, wasRunning, kubeconfig: kubeconfigPath(process.env, owner()), context: contextName(state.name) };
}

export function owner(): ReturnType<typeof kubeconfigOwner> {
  return kubeconfigOwner(process.env, existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8') : '');
}

/** Makes the cluster the current context of the person's kubeconfig. */
function writeContext(files: ClusterFiles, state: ClusterState): void {
  const admin = JSON.parse(readFileSync(join(files.kubeconfigs, 'admin.conf'), 'utf8')) as Kubeconfig;
  const name = contextName(state.name);
  const user = { name, user: admin.users?.[0]?.user ?? {} };
  const context = { name, context: { cluster: name, user: name } };
  const added = { clusters: admin.clusters ?? [], users: [user], contexts: [context], 'current-context': name };
  const person = owner();
  editKubeconfig(kubeconfigPath(process.env, person), person, (config) => mergeKubeconfig(config, added));
}

import { rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { Failure } from './failure.js';
import { removeLoopbackAddress, requireEngine } from './host.js';
import { editKubeconfig, kubeconfigPath, withoutContext } from './kubeconfig-file.js';
import { cleanupProcesses, stopPodsProcesses } from './processes.js';
import type { Progress } from './progress.js';
import { clusterFiles, type ClusterFiles, type ClusterState, readState } from './state.js';
import { runProgram, stopSupervisor } from './supervision.js';
import { contextName, owner } from './up.js';

/** Ends the cluster's processes on this host. Containers and rules stay, unless `pods` stops the pods too. */
export async function stop(name: string, options: { pods: boolean }, progress: Progress): Promise<void> {
  const files = clusterFiles(homedir(), name);
  const state = readState(files);
  if (!state) throw new Failure(`There is no cluster "${name}"`);
  progress.step('stopping the processes');
  await stopSupervisor(files);
  if (!options.pods) return;
  progress.step('stopping the pods');
  await requireEngine(state.dockerHost);
  await Promise.all(stopPodsProcesses(files, state).map((spec) => runProgram(files, spec)));
}

/** All that can be undone is, whatever fails beside it. */
async function cleanUp(files: ClusterFiles, state: ClusterState): Promise<void> {
  const ends = await Promise.allSettled(cleanupProcesses(files, state).map((spec) => runProgram(files, spec)));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason as Error;
}

/** Removes everything that the cluster made on this host. Without a cluster there is nothing to do. Returns what it was. */
export async function down(name: string, progress: Progress): Promise<ClusterState | undefined> {
  const files = clusterFiles(homedir(), name);
  const state = readState(files);
  if (!state) {
    rmSync(files.root, { recursive: true, force: true });
    return undefined;
  }
  progress.step('stopping the processes');
  await stopSupervisor(files);
  progress.step('removing containers, networks, rules and routes');
  await requireEngine(state.dockerHost);
  await cleanUp(files, state);
  for (const node of state.nodes) if (node.ip !== state.linkAddress) removeLoopbackAddress(node.ip);
  const person = owner();
  if (state.role === 'server')
    editKubeconfig(kubeconfigPath(process.env, person), person, (config) => withoutContext(config, contextName(name)));
  rmSync(files.root, { recursive: true, force: true });
  return state;
}

import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure } from './failure.js';
import { addLoopbackAddress } from './host.js';
import { plannedProcesses } from './processes.js';
import { clusterFiles, readState } from './state.js';
import { programsDirectory } from './supervision.js';

/** Becomes one of the cluster's processes: its main file reads the flags from process.argv and handles signals itself. */
export async function runPlanned(cluster: string, name: string): Promise<void> {
  const files = clusterFiles(homedir(), cluster);
  const state = readState(files);
  if (!state) throw new Failure(`There is no cluster "${cluster}". Prepare one with: knarr internal init`);
  const planned = plannedProcesses(files, state);
  const spec = planned.find((p) => p.name === name);
  if (!spec)
    throw new Failure(
      `The cluster "${cluster}" has no process "${name}"; it has ${planned.map((p) => p.name).join(', ')}`,
    );
  // A restarted machine has lost it, and the engine starts the containers again without `knarr internal init`.
  const own = state.nodes.find((node) => spec.name === `kubelet-${node.name}`);
  if (own && own.ip !== state.linkAddress) addLoopbackAddress(own.ip);
  const program = join(programsDirectory(), `${spec.program}.js`);
  process.argv = [process.execPath, program, ...spec.args];
  await import(pathToFileURL(program).href);
}

import { request } from 'node:http';
import { homedir } from 'node:os';
import { nodes as nodeResource } from '../../shared/api/generated/resources.js';
import { connect } from './connection.js';
import { Failure } from './failure.js';
import { plannedProcesses, type ProcessSpec } from './processes.js';
import { unreadyNode } from './readiness.js';
import { clusterFiles, readState } from './state.js';
import { runningProcesses, runningSupervisor } from './supervision.js';

export interface ProcessStatus {
  readonly name: string;
  readonly pid: number | undefined;
  /** `ok`, or why not. */
  readonly health: string;
}
export interface ClusterStatus {
  readonly name: string;
  readonly server: string;
  readonly isRunning: boolean;
  readonly processes: readonly ProcessStatus[];
  readonly nodes: readonly { readonly name: string; readonly ready: string }[];
}

const timeoutMs = 2_000;

/** Looks at processes and nodes of this host's cluster. */
export async function status(name: string): Promise<ClusterStatus> {
  const files = clusterFiles(homedir(), name);
  const state = readState(files);
  if (!state) throw new Failure(`There is no cluster "${name}". Start one with: knarr up`);
  const isRunning = runningSupervisor(files) !== undefined;
  const running = new Map(runningProcesses(files).map((r) => [r.name, r.pid]));
  const client = await connect(files, state);
  const apiHealth = async (): Promise<string> => {
    try {
      const answer = await client.raw({ path: '/readyz', signal: AbortSignal.timeout(timeoutMs) });
      return answer.status === 200 ? 'ok' : `/readyz answers ${answer.status}`;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const look = async (spec: ProcessSpec): Promise<ProcessStatus> => {
    const pid = running.get(spec.name);
    if (pid === undefined) return { name: spec.name, pid, health: 'not running' };
    return {
      name: spec.name,
      pid,
      health: spec.healthPort === undefined ? await apiHealth() : await loopbackHealth(spec.healthPort),
    };
  };
  try {
    const processes = await Promise.all(plannedProcesses(files, state).map(look));
    const nodes = await Promise.all(
      state.nodes.map(async (n) => ({ name: n.name, ready: await nodeReadiness(n.name) })),
    );
    return { name, server: state.server, isRunning, processes, nodes };
  } finally {
    client.close();
  }

  async function nodeReadiness(node: string): Promise<string> {
    try {
      return (
        unreadyNode(
          node,
          await client.get(nodeResource, node, undefined, { signal: AbortSignal.timeout(timeoutMs) }),
        ) ?? 'Ready'
      );
    } catch (error) {
      return (error as Error).message;
    }
  }
}

function loopbackHealth(port: number): Promise<string> {
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path: '/healthz', timeout: timeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? 'ok' : `/healthz answers ${response.statusCode}`);
    });
    call.once('error', (error) => resolve(error.message));
    call.once('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    call.end();
  });
}

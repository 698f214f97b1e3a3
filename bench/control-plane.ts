import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureAuditPolicy } from '../cli/cluster/apiserver-flags.js';
import { ensureIdentity } from '../cli/cluster/identity.js';
import { planCluster } from '../cli/cluster/plan.js';
import { plannedProcesses, type ProcessSpec } from '../cli/cluster/processes.js';
import { clusterFiles, writeState, type ClusterFiles, type ClusterState } from '../cli/cluster/state.js';
import { eventually } from '../shared/clock/eventually.js';
import { Client, type ClientOptions } from './client.js';
import { processUse, type ProcessUse } from './process-use.js';

export type Program = 'apiserver' | 'scheduler' | 'controller-manager';

const startMs = 30_000;
const choices = {
  name: 'bench',
  nodes: 0,
  dockerHost: 'unix:///var/run/docker.sock',
  securePort: 26_443,
  clusterCIDR: '10.244.0.0/16',
  serviceCIDR: '10.96.0.0/16',
  nodePortRange: '30000-32767',
  clusterDNS: '10.96.0.10',
  clusterDomain: 'cluster.local',
};

/** Programs of the control plane as `knarr up` starts them, without nodes and without a supervisor. */
export class ControlPlane {
  readonly #files: ClusterFiles;
  readonly #state: ClusterState;
  readonly #processes = new Map<string, ChildProcess>();
  readonly #isProbed: boolean;

  private constructor(files: ClusterFiles, state: ClusterState, isProbed: boolean) {
    this.#files = files;
    this.#state = state;
    this.#isProbed = isProbed;
  }

  /** Makes keys and certificates below `directory`; nothing runs yet. `isProbed`: {@link longestStallMs} can be asked. */
  static async create(directory: string, isProbed = false): Promise<ControlPlane> {
    const files = clusterFiles(directory, choices.name);
    const state = await planCluster(choices, undefined);
    mkdirSync(files.root, { recursive: true });
    writeState(files, state);
    await ensureIdentity(files, state, []);
    ensureAuditPolicy(files);
    mkdirSync(files.logs, { recursive: true });
    return new ControlPlane(files, state, isProbed);
  }

  /** Starts programs and waits until each of them is ready. */
  async start(...programs: readonly Program[]): Promise<void> {
    const specs = plannedProcesses(this.#files, this.#state).filter((spec) =>
      programs.includes(spec.program as Program),
    );
    for (const spec of specs) this.#spawn(spec);
    const client = this.client(1);
    await Promise.all(
      specs.map(({ healthPort }) =>
        eventually(
          async () => (healthPort === undefined ? client.must('GET', '/readyz') : isReady(healthPort)),
          startMs,
          10,
        ),
      ),
    );
    client.close();
  }

  #spawn({ name, program, args }: ProcessSpec): void {
    const log = openSync(join(this.#files.logs, `${name}.log`), 'a');
    const nodeFlags = process.env['BENCH_NODE_FLAGS']?.split(' ') ?? [];
    const probe = ['--import', pathToFileURL(resolve('dist/bench/loop-probe.js')).href];
    const argv = [...nodeFlags, ...(this.#isProbed ? probe : []), join('dist/bin', `${program}.js`), ...args];
    const stdio = this.#isProbed ? (['ignore', log, log, 'ipc'] as const) : (['ignore', log, log] as const);
    this.#processes.set(name, spawn(process.execPath, argv, { stdio: [...stdio] }));
  }

  get connection(): Omit<ClientOptions, 'width'> {
    const text = readFileSync(join(this.#files.kubeconfigs, 'admin.conf'), 'utf8');
    const { users, clusters } = JSON.parse(text) as Kubeconfig;
    const decode = (value: string | undefined): Buffer => Buffer.from(value ?? '', 'base64');
    return {
      server: this.#state.server,
      ca: decode(clusters[0]?.cluster['certificate-authority-data']),
      cert: decode(users[0]?.user['client-certificate-data']),
      key: decode(users[0]?.user['client-key-data']),
    };
  }

  client(width: number): Client {
    return new Client({ ...this.connection, width });
  }

  /** For how long nothing else could happen in a program since the last call. */
  async longestStallMs(program: Program): Promise<number> {
    const child = this.#processes.get(program);
    if (!child?.connected) throw new Error(`${program} does not run with a probe`);
    const answer = once(child, 'message');
    child.send('longest stall');
    const [{ longestStallMs }] = (await answer) as [{ longestStallMs: number }];
    return longestStallMs;
  }

  /** Memory and CPU time that a program has used so far. */
  use(program: Program): ProcessUse {
    return processUse(this.#processes.get(program)?.pid ?? 0);
  }

  async stop(program: Program): Promise<void> {
    const child = this.#processes.get(program);
    this.#processes.delete(program);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((name) => this.stop(name as Program)));
  }
}

async function isReady(healthPort: number): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${healthPort}/readyz`);
  if (status !== 200) throw new Error(`port ${healthPort} answers ${status}`);
}

interface Kubeconfig {
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
}

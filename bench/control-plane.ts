import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

  private constructor(files: ClusterFiles, state: ClusterState) {
    this.#files = files;
    this.#state = state;
  }

  /** Makes keys and certificates below `directory`; nothing runs yet. */
  static async create(directory: string): Promise<ControlPlane> {
    const files = clusterFiles(directory, choices.name);
    const state = await planCluster(choices, undefined);
    mkdirSync(files.root, { recursive: true });
    writeState(files, state);
    await ensureIdentity(files, state, []);
    ensureAuditPolicy(files);
    mkdirSync(files.logs, { recursive: true });
    return new ControlPlane(files, state);
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
    const argv = [...nodeFlags, join('dist/bin', `${program}.js`), ...args];
    this.#processes.set(name, spawn(process.execPath, argv, { stdio: ['ignore', log, log] }));
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

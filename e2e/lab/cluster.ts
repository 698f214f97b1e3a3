import { join, resolve } from 'node:path';
import { afterEach } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import type { CommandOptions, CommandResult } from './command.js';
import { componentLogs } from './component-logs.js';
import type { EngineOptions, Host } from './host.js';
import { importToolbox } from './images.js';
import { Lab } from './lab.js';

const knarrBin = resolve('bin/knarr');

/** A running cluster on one host of a lab of its own. */
export class TestCluster {
  readonly lab: Lab;
  readonly host: Host;

  private constructor(lab: Lab, host: Host) {
    this.lab = lab;
    this.host = host;
  }

  /** Makes a lab with `hosts` machines and starts a cluster on the first. */
  static async start(
    options: {
      nodes?: number;
      hosts?: number;
      wait?: boolean;
      args?: readonly string[];
      engine?: EngineOptions;
      /** Called before `up` with the host that it will run on. */
      prepare?: (host: Host) => void | Promise<void>;
    } = {},
  ): Promise<TestCluster> {
    const lab = await Lab.create(options.hosts ?? 1, options.engine ? { engine: options.engine } : {});
    const cluster = new TestCluster(lab, lab.host(0));
    try {
      await Promise.all(lab.hosts.map((h) => importToolbox(h.dockerSocket)));
      await options.prepare?.(cluster.host);
      await cluster.knarr(
        ['up', '--nodes', String(options.nodes ?? 1), ...(options.wait ? ['--wait'] : []), ...(options.args ?? [])],
        { timeoutMs: 180_000 },
      );
    } catch (error) {
      const logs = cluster.logs();
      await cluster.destroy();
      throw new Error(`${(error as Error).message}\n${logs}`, { cause: error });
    }
    return cluster;
  }

  /** Call once in a test file: a test that fails is followed by the last words of all components. */
  static explainFailures(find: () => TestCluster | undefined): void {
    afterEach((context) => {
      // Node 20.12 and later tell whether the test passed; the types of Node 20 do not say so.
      if (!(context as { readonly passed?: boolean }).passed)
        process.stderr.write(`${find()?.logs() ?? 'there is no cluster'}\n`);
    });
  }

  /** Last words of the components of all hosts. */
  logs(): string {
    return this.lab.hosts.map((host) => componentLogs(join(host.directory, 'home'))).join('');
  }

  /** Runs knarr on the first host, or another. */
  knarr(args: readonly string[], options: CommandOptions = {}, host = this.host): Promise<CommandResult> {
    return host.run([process.execPath, knarrBin, ...args], options);
  }

  /** kubectl of the given program, by default the one on PATH. Resolves with its standard output. */
  async kubectl(args: readonly string[], options: CommandOptions & { program?: string } = {}): Promise<string> {
    const { program = 'kubectl', ...rest } = options;
    return (await this.host.run([program, ...args], rest)).stdout;
  }

  apply(manifest: string): Promise<string> {
    return this.kubectl(['apply', '-f', '-'], { input: manifest });
  }

  /** An object as JSON. */
  async get<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.kubectl(['get', '-o', 'json', ...args])) as T;
  }

  /** Fetches a URL from the host's network; resolves with the body. */
  async fetch(url: string, timeoutSeconds = 5): Promise<string> {
    return (await this.host.run(['curl', '-sSf', '-m', String(timeoutSeconds), url])).stdout;
  }

  /** Process id of a component as its supervisor noted it. */
  async pidOf(component: string): Promise<number> {
    const { stdout } = await this.knarr(['status'], { accept: [1] });
    const line = stdout.split('\n').find((l) => l.startsWith(`${component} `));
    const pid = Number(line?.trim().split(/\s+/)[1]);
    if (!Number.isInteger(pid)) throw new Error(`no process ${component}:\n${stdout}`);
    return pid;
  }

  /** Resolves when every process and node is well again. */
  async waitUntilHealthy(timeoutMs = 60_000): Promise<void> {
    await eventually(() => this.knarr(['status']), timeoutMs, 500);
  }

  /** Removes the cluster and the lab, also after a failed test. */
  async destroy(): Promise<void> {
    const down = (host: Host): Promise<CommandResult> =>
      this.knarr(['down'], { accept: [1], timeoutMs: 120_000 }, host);
    try {
      await Promise.all(this.lab.hosts.map(down));
    } finally {
      await this.lab.destroy();
    }
  }
}

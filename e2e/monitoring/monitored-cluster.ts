import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../shared/clock/eventually.js';
import type { TestCluster } from '../lab/cluster.js';
import { type Access, endpoints, roles } from './jobs.js';
import { monitoring } from './manifests.js';

interface Target {
  readonly scrapePool?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly discoveredLabels: Readonly<Record<string, string>>;
  readonly health: string;
  readonly lastError: string;
}
interface Targets {
  readonly activeTargets: readonly Target[];
  readonly droppedTargets: readonly Pick<Target, 'discoveredLabels' | 'scrapePool'>[];
}

const patienceMs = 120_000;

/** A cluster with the account of a Prometheus, and the programs that scrape it. */
export class MonitoredCluster {
  readonly cluster: TestCluster;
  readonly access: Access;
  readonly #folder: string;
  readonly #programs: ChildProcess[] = [];

  private constructor(cluster: TestCluster, access: Access, folder: string) {
    this.cluster = cluster;
    this.access = access;
    this.#folder = folder;
  }

  /** Takes over a running cluster; `destroy` ends it too. */
  static async prepare(cluster: TestCluster): Promise<MonitoredCluster> {
    await cluster.apply(monitoring);
    const folder = join(cluster.host.directory, 'monitoring');
    mkdirSync(folder);
    const view = (field: string): Promise<string> =>
      cluster.kubectl(['config', 'view', '--raw', '--minify', '-o', `jsonpath={.clusters[0].cluster.${field}}`]);
    const access = { server: await view('server'), ca: join(folder, 'ca.crt'), token: join(folder, 'token') };
    writeFileSync(access.ca, Buffer.from(await view('certificate-authority-data'), 'base64'));
    const made = new MonitoredCluster(cluster, access, folder);
    writeFileSync(access.token, await made.tokenOf('prometheus'));
    return made;
  }

  async tokenOf(account: string): Promise<string> {
    return (await this.cluster.kubectl(['create', 'token', account, '-n', 'monitoring'])).trim();
  }

  /** Writes a file for a program. Resolves with its path. */
  file(name: string, content: string): string {
    writeFileSync(join(this.#folder, name), content);
    return join(this.#folder, name);
  }

  /** A path for a program's own files. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  addressOfDns(): Promise<string> {
    const path = 'jsonpath={.items[0].status.podIP}';
    return this.cluster.kubectl(['get', 'pod', '-n', 'kube-system', '-l', 'k8s-app=kube-dns', '-o', path]);
  }

  addressOfNode(): Promise<string> {
    const path = 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}';
    return this.cluster.kubectl(['get', 'node', 'node-1', '-o', path]);
  }

  /** Starts a program that goes on until `destroy`. */
  spawn(argv: readonly string[], log: string): void {
    this.#programs.push(this.cluster.host.spawn(argv, log));
  }

  /** Starts a Prometheus with that configuration. */
  prometheus(program: string, name: string, config: string, port: number): void {
    const files = [`--config.file=${this.file(`${name}.yml`, config)}`, `--storage.tsdb.path=${this.path(name)}`];
    this.spawn([program, ...files, `--web.listen-address=127.0.0.1:${port}`], `${name}.log`);
  }

  /** What a program wrote to its log. */
  logOf(name: string): string {
    return readFileSync(join(this.cluster.host.directory, `${name}.log`), 'utf8');
  }

  /** @param at `127.0.0.1:9090` */
  async targets(at: string): Promise<Targets> {
    const text = await this.cluster.fetch(`http://${at}/api/v1/targets?state=any`);
    return (JSON.parse(text) as { data: Targets }).data;
  }

  async query(at: string, query: string): Promise<number | undefined> {
    const answer = await this.cluster.fetch(`http://${at}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = JSON.parse(answer) as { data: { result: { value: [number, string] }[] } };
    const value = data.result[0]?.value[1];
    return value === undefined ? undefined : Number(value);
  }

  /** Resolves when each role has found what a cluster always has. */
  async eventuallyFound(at: string): Promise<void> {
    await eventually(async () => {
      const { droppedTargets } = await this.targets(at);
      for (const [role, [label, value]] of Object.entries(roles)) {
        const names = droppedTargets.map(({ discoveredLabels }) => discoveredLabels[label] ?? '');
        assert.ok(
          names.some((name) => value.test(name)),
          role,
        );
      }
    }, patienceMs);
  }

  /** Resolves when these jobs, and no others, have targets, and all of them are up and told figures of containers. */
  async eventuallyUp(at: string, jobs: readonly string[]): Promise<void> {
    await eventually(async () => {
      const { activeTargets } = await this.targets(at);
      assert.deepEqual(new Set(activeTargets.map(({ labels }) => labels['job'])), new Set(jobs));
      const down = activeTargets.filter(({ health }) => health !== 'up');
      assert.deepEqual(
        down.map(({ labels, lastError }) => `${labels['job']}: ${lastError}`),
        [],
      );
    }, patienceMs);
    await eventually(async () => {
      const count =
        (await this.query(at, 'count(container_memory_working_set_bytes{job="cadvisor",image!=""} > 0)')) ?? 0;
      assert.ok(count > 0, 'no figures of containers');
    }, patienceMs);
  }

  /** The metrics of every component, by its name. */
  async texts(): Promise<Readonly<Record<string, string>>> {
    const { cluster } = this;
    const raw = (path: string): Promise<string> => cluster.kubectl(['get', '--raw', path]);
    const dns = async (): Promise<string> => cluster.fetch(`http://${await this.addressOfDns()}:9153/metrics`);
    const asked: [name: string, text: Promise<string>][] = [
      ['apiserver', raw('/metrics')],
      ['dns', dns()],
      ...Object.entries(endpoints.ofNodes).map(([name, path]): [string, Promise<string>] => [
        name,
        raw(`/api/v1/nodes/node-1/proxy${path}`),
      ]),
      ...Object.entries(endpoints.local).map(([name, [port, path]]): [string, Promise<string>] => [
        name,
        cluster.fetch(`http://127.0.0.1:${port}${path}`),
      ]),
    ];
    return Object.fromEntries(await Promise.all(asked.map(async ([name, text]) => [name, await text] as const)));
  }

  /** What `promtool check metrics` says of each text, where it says anything. */
  async complaints(promtool: string, texts: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const said = await Promise.all(
      Object.entries(texts).map(async ([name, input]) => {
        assert.match(input, /^# HELP /m, name);
        const check = [promtool, 'check', 'metrics'];
        const { stdout, stderr } = await this.cluster.host.run(check, { input, accept: [1, 3] });
        return [name, stdout + stderr] as const;
      }),
    );
    return Object.fromEntries(said.filter(([, complaint]) => complaint !== ''));
  }

  async destroy(): Promise<void> {
    for (const program of this.#programs) {
      if (program.exitCode !== null) continue;
      const ended = new Promise((resolve) => program.once('exit', resolve));
      program.kill();
      await ended;
    }
    await this.cluster.destroy();
  }
}

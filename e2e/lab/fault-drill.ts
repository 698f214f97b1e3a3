import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConfigMap, Service } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { buildDemoImages } from '../../examples/image-classification/images.js';
import { Background } from './background.js';
import { TestCluster } from './cluster.js';
import type { WriteReport } from './config-map-writes.js';
import type { LoadReport } from './picture-load.js';
import { runningContainers } from './traces.js';

const example = 'examples/image-classification';

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

/** A cluster of two nodes with the demo, to be sent pictures and ConfigMaps while things are killed. */
export class FaultDrill {
  readonly cluster: TestCluster;
  readonly #url: string;
  #running: Background<unknown>[] = [];
  readonly #names: readonly string[];

  private constructor(cluster: TestCluster, url: string) {
    this.cluster = cluster;
    this.#url = url;
    this.#names = this.components().map((component) => component.name);
  }

  /** Starts the cluster and waits until the demo serves. */
  static async start(): Promise<FaultDrill> {
    const cluster = await TestCluster.start({
      nodes: 2,
      wait: true,
      prepare: async (host) => {
        await buildDemoImages({ dockerSocket: host.dockerSocket, log: () => undefined });
      },
    });
    await cluster.kubectl(['apply', '-f', `${example}/manifests/demo.yaml`]);
    for (const name of ['tf-serving-clothing-model', 'gateway'])
      await cluster.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=90s'], { timeoutMs: 100_000 });
    const address = await eventually(async () => {
      const service = await cluster.get<Service>('service', 'gateway');
      const ip = service.status?.loadBalancer?.ingress?.[0]?.ip;
      assert.ok(ip);
      return ip;
    }, 10_000);
    await eventually(() => cluster.fetch(`http://${address}/healthz`), 10_000, 200);
    return new FaultDrill(cluster, `http://${address}`);
  }

  /**
   * Sends pictures and writes ConfigMaps while `kill` is at work: no request may fail, no acknowledged write be lost, no
   * container be started again.
   */
  async survives(t: TestContext, leastAnswered: number, kill: () => Promise<void>): Promise<WriteReport> {
    const before = await runningContainers(this.cluster.host);
    const load = this.startLoad();
    const writes = this.#startWrites();
    await kill();
    const written = await writes.end();
    const sent = await load.end();
    t.diagnostic(
      `${sent.answered} pictures, the slowest ${sent.slowestMs} ms; ${written.acknowledged.length} writes, ${written.refused} refused`,
    );
    assertNoneFailed(sent, leastAnswered);
    assert.deepEqual(await this.#lost(written), []);
    assert.equal(await runningContainers(this.cluster.host), before, 'the same containers, not started again');
    return written;
  }

  startLoad(): Background<LoadReport> {
    const program = [process.execPath, resolve('dist/e2e/lab/picture-load.js')];
    return this.#keep(
      Background.start(this.cluster.host, [...program, this.#url, resolve(`${example}/gateway/samples`)]),
    );
  }

  #startWrites(): Background<WriteReport> {
    return this.#keep(
      Background.start(this.cluster.host, [process.execPath, resolve('dist/e2e/lab/config-map-writes.js')]),
    );
  }

  #keep<R>(background: Background<R>): Background<R> {
    this.#running.push(background);
    return background;
  }

  /** Name and process id of everything the supervisor keeps, as it noted them last. */
  components(): { readonly name: string; readonly pid: number }[] {
    return JSON.parse(readFileSync(join(this.#state, 'processes.json'), 'utf8')) as { name: string; pid: number }[];
  }

  get #state(): string {
    return join(this.cluster.host.directory, 'home', '.knarr', 'default');
  }

  /** Every component once with SIGKILL, in an order and after pauses that `random` decides. Returns what it did, for the report. */
  async killEachComponent(random: () => number, longestPauseMs: number): Promise<string[]> {
    const done: string[] = [];
    for (const name of shuffled(this.#names, random)) {
      const pauseMs = Math.round(random() * longestPauseMs);
      await delay(pauseMs);
      const { pid } = await eventually(() => {
        const found = this.components().find((component) => component.name === name);
        assert.ok(found, `${name} did not come back`);
        return found;
      }, 20_000);
      process.kill(pid, 'SIGKILL');
      done.push(`${name} after ${pauseMs} ms`);
    }
    return done;
  }

  /** The supervisor itself, which leaves its processes alone in the world; then `knarr start`. */
  async killSupervisor(): Promise<void> {
    const { pid } = JSON.parse(readFileSync(join(this.#state, 'supervisor.pid'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await this.cluster.knarr(['start']);
  }

  /** Names of acknowledged ConfigMaps that the server does not have. */
  async #lost(report: WriteReport): Promise<string[]> {
    const { items } = await this.cluster.get<{ items: ConfigMap[] }>('configmaps', '-n', 'default');
    const there = new Set(items.map((item) => item.metadata.name));
    return report.acknowledged.filter((name) => !there.has(name));
  }

  async destroy(): Promise<void> {
    for (const background of this.#running) background.stop();
    await this.cluster.destroy();
  }
}

/** Fails unless every request was answered, by several pods of each kind. */
export function assertNoneFailed(report: LoadReport, atLeast: number): void {
  assert.deepEqual(report.failures, []);
  assert.ok(report.answered >= atLeast, `only ${report.answered} pictures were answered`);
  assert.ok(report.gateways.length >= 2, `gateways ${report.gateways.join()}`);
  assert.ok(report.modelServers.length >= 2, `model servers ${report.modelServers.join()}`);
}

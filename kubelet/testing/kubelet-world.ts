import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '../../apiserver/testing/test-server.js';
import { events, namespaces, nodes, pods, serviceaccounts } from '../../shared/api/generated/resources.js';
import type { Event, NodeCondition, Pod, PodSpec } from '../../shared/api/generated/types.js';
import type { Client } from '../../shared/client/client.js';
import { clientFromKubeconfig } from '../../shared/client/connect.js';
import { systemClock, type Clock } from '../../shared/clock/clock.js';
import { eventually } from '../../shared/clock/eventually.js';
import { isAlreadyExists } from '../../shared/errors/status-error.js';
import { createLog } from '../../shared/log/log.js';
import { MetricsRegistry } from '../../shared/metrics/registry.js';
import { buildKubelet } from '../build.js';
import type { Machine } from '../node/machine.js';
import { SysctlAllowlist } from '../node/sysctl-allowlist.js';
import type { RunProbe } from '../probe/probe.js';
import type { ContainerRuntime } from '../runtime/container-runtime.js';
import { testFolder } from '../../apiserver/testing/test-folder.js';

export const nodeName = 'node-1';
const nodeIP = '192.0.2.10';

const machine: Machine = {
  cpus: 4,
  memoryBytes: 8 * 2 ** 30,
  diskBytes: 2 ** 20,
  architecture: 'amd64',
  kernelVersion: '6.1',
  osImage: 'Test OS',
  machineId: 'machine',
  systemUuid: 'system',
  bootId: 'boot',
  hasAppArmor: false,
};

export interface WorldOptions {
  readonly image: string;
  readonly podCIDR: string;
  readonly prober?: (runtime: ContainerRuntime) => RunProbe;
}

/** A real API server in this process, and kubelets that can be started and stopped on a runtime. */
export class KubeletWorld {
  readonly client: Client;
  readonly #server: TestServer;
  readonly #options: WorldOptions;
  #root = '';
  #stop: (() => Promise<void>) | undefined;

  private constructor(server: TestServer, client: Client, options: WorldOptions) {
    this.#server = server;
    this.client = client;
    this.#options = options;
  }

  static async open(options: WorldOptions): Promise<KubeletWorld> {
    const server = await startTestServer();
    const client = await clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
    const world = new KubeletWorld(server, client, options);
    for (const name of ['default', 'kube-node-lease']) {
      await unlessThere(client.create(namespaces, { metadata: { name }, spec: {} }));
    }
    await unlessThere(client.create(serviceaccounts, { metadata: { name: 'default', namespace: 'default' } }));
    return world;
  }

  /** Where the kubelet keeps its files. */
  get root(): string {
    return this.#root;
  }

  /** With a clock that somebody else moves, the node's network is not waited for. */
  async startKubelet(runtime: ContainerRuntime, clock: Clock = systemClock): Promise<void> {
    assert.equal(this.#stop, undefined, 'one kubelet at a time');
    if (this.#root === '') this.#root = testFolder('kubelet');
    await writeFile(join(this.#root, 'resolv.conf'), 'nameserver 192.0.2.1\nsearch example.org\n');
    const kubeconfig = await this.#server.kubeconfigFor(`system:node:${nodeName}`, ['system:nodes']);
    const client = await clientFromKubeconfig(kubeconfig, { clock: systemClock });
    const kubelet = buildKubelet({
      client,
      runtime,
      clock,
      log: createLog({ component: 'kubelet', level: process.env['KNARR_TEST_LOG'] === 'debug' ? 'debug' : 'silent' }),
      metrics: new MetricsRegistry(),
      probeMetrics: new MetricsRegistry(),
      random: () => 0,
      identity: { name: nodeName, ip: nodeIP, linkAddress: nodeIP, labels: { zone: 'a' }, port: 10250 },
      machine,
      rootDirectory: this.#root,
      clusterDns: ['10.96.0.10'],
      clusterDomain: 'cluster.local',
      hostResolvConf: join(this.#root, 'resolv.conf'),
      hostHosts: '/etc/hosts',
      appArmorProfiles: join(this.#root, 'profiles'),
      sysctls: new SysctlAllowlist(),
      prober: this.#options.prober?.(runtime) ?? (() => Promise.resolve({ outcome: 'success', output: '' })),
    });
    const controller = new AbortController();
    const done = kubelet.run(controller.signal);
    done.catch(() => undefined);
    this.#stop = async () => {
      controller.abort();
      await done;
      client.close();
    };
    await eventually(() => this.client.get(nodes, nodeName));
    await this.client.patch(nodes, nodeName, undefined, 'merge', { spec: { podCIDR: this.#options.podCIDR } });
    if (clock === systemClock) await eventually(async () => assert.equal((await this.ready()).status, 'True'), 30_000);
  }

  /** The node's Ready condition. */
  async ready(): Promise<NodeCondition> {
    const node = await this.client.get(nodes, nodeName);
    const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
    assert.ok(ready);
    return ready;
  }

  async stopKubelet(): Promise<void> {
    await this.#stop?.();
    this.#stop = undefined;
  }

  /** Removes every pod the way users do, then the kubelet, then its files. */
  async reset(): Promise<void> {
    for (const pod of await this.#pods()) {
      await this.client.delete(pods, pod.metadata.name ?? '', 'default', { gracePeriodSeconds: this.#stop ? 1 : 0 });
    }
    if (this.#stop) await eventually(async () => assert.deepEqual(await this.#pods(), []), 20_000);
    await this.stopKubelet();
    await rm(this.#root, { recursive: true, force: true });
    this.#root = '';
  }

  async close(): Promise<void> {
    await this.reset();
    this.client.close();
    await this.#server.close();
  }

  createPod(name: string, spec: Partial<PodSpec> = {}): Promise<Pod> {
    const containers = [{ name: 'main', image: this.#options.image }];
    const always = { nodeName, terminationGracePeriodSeconds: 1, automountServiceAccountToken: false };
    return this.client.create(pods, {
      metadata: { name, namespace: 'default' },
      spec: { ...always, containers, ...spec },
    });
  }

  getPod(name: string): Promise<Pod> {
    return this.client.get(pods, name, 'default');
  }

  /** The pod as soon as `check` does not throw. */
  waitForPod(name: string, check: (pod: Pod) => void, timeoutMs = 30_000): Promise<Pod> {
    return eventually(async () => {
      const pod = await this.getPod(name);
      check(pod);
      return pod;
    }, timeoutMs);
  }

  waitForPhase(name: string, phase: string): Promise<Pod> {
    return this.waitForPod(name, (pod) =>
      assert.equal(pod.status?.phase, phase, JSON.stringify(pod.status?.containerStatuses?.map(({ state }) => state))),
    );
  }

  async events(podName: string): Promise<Event[]> {
    const all = await this.client.list(events, { namespace: 'default' });
    return all.items.filter((event) => event.involvedObject.name === podName);
  }

  /** Follows the node's Ready condition from now on; the end tells which statuses it had. */
  async nodeReadiness(): Promise<{ end(): Promise<string[]> }> {
    const seen = new Set<string>();
    const stop = new AbortController();
    const { metadata } = await this.client.list(nodes);
    const options = { resourceVersion: metadata.resourceVersion ?? '', signal: stop.signal };
    const follow = async (): Promise<void> => {
      for await (const event of this.client.watch(nodes, options)) {
        if (event.type !== 'MODIFIED') continue;
        const ready = event.object.status?.conditions?.find((condition) => condition.type === 'Ready');
        if (ready) seen.add(ready.status);
      }
    };
    const done = follow().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    const end = async (): Promise<string[]> => {
      stop.abort();
      await done;
      return [...seen];
    };
    return { end };
  }

  async #pods(): Promise<Pod[]> {
    return (await this.client.list(pods, { namespace: 'default' })).items;
  }
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

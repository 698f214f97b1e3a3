import type { Duplex, Readable, Writable } from 'node:stream';

import type { Clock } from '../../../shared/clock/clock.js';
import { BoundedOutput } from '../bounded-output.js';
import {
  RuntimeError,
  type ContainerConfig,
  type ContainerResources,
  type ContainerRuntime,
  type ContainerStats,
  type ContainerStatus,
  type ExecOptions,
  type ImageStatus,
  type LogOptions,
  type RuntimeEvent,
  type RuntimeItem,
  type RuntimeVersion,
  type SandboxConfig,
  type SandboxStatus,
} from '../container-runtime.js';
import { EventQueue } from '../event-queue.js';
import { parseImageReference } from '../image-reference.js';
import { AddressPool } from './address-pool.js';
import { HollowContainer, type HollowBehaviour } from './hollow-container.js';

/** How long the pretended engine takes. */
export interface HollowLatencies {
  readonly sandboxMs: number;
  readonly createMs: number;
  readonly startMs: number;
  readonly pullMs: number;
}

export interface HollowOptions {
  readonly clock: Clock;
  /** References that are there without a pull. */
  readonly images?: readonly string[];
  /** References that can be pulled; every valid one when undefined. */
  readonly registry?: readonly string[];
  readonly latencies?: Partial<HollowLatencies>;
  /** Decides what a container does, from its config. */
  readonly behaviour?: (config: ContainerConfig) => HollowBehaviour;
  readonly exec?: (container: ContainerStatus, options: ExecOptions) => Promise<number>;
  /** What answers on a port inside a sandbox; refused when undefined. */
  readonly listener?: (sandbox: SandboxStatus, port: number) => Duplex | undefined;
  readonly allowsPrivileged?: boolean;
  readonly cpus?: number;
  readonly memoryBytes?: number;
}

interface HollowSandbox {
  readonly config: SandboxConfig;
  readonly createdAtMs: number;
  readonly ip: string | undefined;
  ready: boolean;
}

/** A container runtime that only pretends: for unit tests, simulation under a fake clock, and clusters of thousands of nodes. */
export class HollowRuntime implements ContainerRuntime {
  readonly #options: HollowOptions;
  readonly #latencies: HollowLatencies;
  readonly #sandboxes = new Map<string, HollowSandbox>();
  readonly #containers = new Map<string, HollowContainer>();
  readonly #images = new Map<string, ImageStatus>();
  readonly #queues = new Set<EventQueue<RuntimeEvent>>();
  #addresses: AddressPool | undefined;
  #podCIDR: string | undefined;
  #ids = 0;
  #isAway = false;

  constructor(options: HollowOptions) {
    this.#options = options;
    this.#latencies = { sandboxMs: 0, createMs: 0, startMs: 0, pullMs: 0, ...options.latencies };
    for (const reference of options.images ?? []) this.#addImage(reference);
  }

  /** Pretends that the engine went away (running containers go on) or came back. */
  setAway(isAway: boolean): void {
    this.#isAway = isAway;
    if (!isAway) return;
    for (const queue of this.#queues) queue.fail(new RuntimeError('Unavailable', 'the hollow engine is away'));
  }

  /** Ends a running container from outside. */
  crash(containerId: string, exitCode: number, oomKilled = false): void {
    this.#container(containerId).exit(exitCode, oomKilled);
  }

  /** The sandbox's pause process dies. */
  crashSandbox(id: string): void {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox) this.#endSandbox(id, sandbox);
  }

  async version(): Promise<RuntimeVersion> {
    await this.#work(0);
    return {
      name: 'hollow',
      version: '1.0.0',
      operatingSystem: 'none',
      kernelVersion: '0',
      architecture: 'amd64',
      cpus: this.#options.cpus ?? 4,
      memoryBytes: this.#options.memoryBytes ?? 8 * 2 ** 30,
    };
  }

  async ensureNetwork(podCIDR: string): Promise<void> {
    await this.#work(0);
    if (podCIDR === this.#podCIDR) return;
    if ([...this.#sandboxes.values()].some((sandbox) => sandbox.ip !== undefined)) {
      throw new RuntimeError('Conflict', `the pod network has subnet ${this.#podCIDR} and is in use`);
    }
    this.#addresses = new AddressPool(podCIDR);
    this.#podCIDR = podCIDR;
  }

  async removeNetwork(): Promise<void> {
    await this.#work(0);
    this.#addresses = undefined;
    this.#podCIDR = undefined;
  }

  async runPodSandbox(config: SandboxConfig): Promise<string> {
    await this.#work(this.#latencies.sandboxMs);
    for (const [id, { config: other, ready }] of this.#sandboxes) {
      if (other.pod.uid === config.pod.uid && other.attempt === config.attempt && ready) return id;
    }
    if (!config.hostNetwork && !this.#addresses) throw new RuntimeError('Failed', 'there is no pod network yet');
    const id = this.#newId();
    const ip = config.hostNetwork ? undefined : this.#addresses?.take();
    this.#sandboxes.set(id, { config, createdAtMs: this.#options.clock.now(), ip, ready: true });
    this.#emit(config, id, 'created');
    this.#emit(config, id, 'started');
    return id;
  }

  async stopPodSandbox(id: string): Promise<void> {
    await this.#work(0);
    const sandbox = this.#sandboxes.get(id);
    if (sandbox?.ready) this.#endSandbox(id, sandbox);
  }

  async removePodSandbox(id: string): Promise<void> {
    await this.stopPodSandbox(id);
    for (const container of this.#containers.values()) {
      if (container.sandboxId === id) this.#containers.delete(container.id);
    }
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox) return;
    this.#sandboxes.delete(id);
    this.#emit(sandbox.config, id, 'removed');
  }

  async listPodSandboxes(filter?: { podUid?: string }): Promise<readonly SandboxStatus[]> {
    await this.#work(0);
    return [...this.#sandboxes]
      .filter(([, { config }]) => filter?.podUid === undefined || config.pod.uid === filter.podUid)
      .map(([id, sandbox]) => sandboxStatus(id, sandbox));
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string> {
    await this.#work(this.#latencies.createMs);
    if (!this.#sandboxes.get(sandboxId)?.ready) throw new RuntimeError('Conflict', `sandbox ${sandboxId} does not run`);
    if (!this.#findImage(config.image)) throw new RuntimeError('ImageNotFound', `No such image: ${config.image}`);
    for (const other of this.#containers.values()) {
      const same = other.config.name === config.name && other.config.attempt === config.attempt;
      if (other.pod.uid !== sandbox.pod.uid || !same) continue;
      if (other.state !== 'created') throw new RuntimeError('Conflict', `container ${config.name} exists`);
      this.#containers.delete(other.id);
    }
    const id = this.#newId();
    const behaviour = this.#options.behaviour?.(config) ?? {};
    const identity = { id, sandboxId, pod: sandbox.pod };
    const onChange = (type: RuntimeEvent['type']): void => this.#emit(sandbox, id, type);
    const container = new HollowContainer(identity, config, behaviour, { clock: this.#options.clock, onChange });
    this.#containers.set(id, container);
    this.#emit(sandbox, id, 'created');
    return id;
  }

  async memoryVolumePath(): Promise<undefined> {
    await this.#work(0);
  }

  async allowsPrivileged(): Promise<boolean> {
    await this.#work(0);
    return this.#options.allowsPrivileged ?? true;
  }

  async startContainer(id: string): Promise<void> {
    await this.#work(this.#latencies.startMs);
    const container = this.#container(id);
    if (container.state === 'running') return;
    if (container.state === 'exited') throw new RuntimeError('Conflict', `container ${id} has already exited`);
    container.start();
    const { error } = container.status();
    if (error !== undefined) throw new RuntimeError('StartFailed', `failed to start container "${id}": ${error}`);
  }

  async updateContainer(id: string, resources: ContainerResources): Promise<void> {
    await this.#work(0);
    this.#container(id).update(resources);
  }

  async stopContainer(id: string, timeoutSeconds: number): Promise<void> {
    await this.#work(0);
    const container = this.#containers.get(id);
    if (container?.state === 'running') await container.stop(timeoutSeconds * 1000);
  }

  async removeContainer(id: string): Promise<void> {
    await this.#work(0);
    const container = this.#containers.get(id);
    if (!container) return;
    container.exit(137);
    this.#containers.delete(id);
    this.#publish({ pod: container.pod, containerId: id, type: 'removed' });
  }

  async listAll(): Promise<readonly RuntimeItem[]> {
    await this.#work(0);
    const containers = [...this.#containers.values()].map(({ id, pod, config }) => ({
      id,
      pod,
      container: config.name,
    }));
    return [...containers, ...[...this.#sandboxes].map(([id, { config }]) => ({ id, pod: config.pod }))];
  }

  async listContainers(filter?: { podUid?: string }): Promise<readonly ContainerStatus[]> {
    await this.#work(0);
    return [...this.#containers.values()]
      .filter(({ pod }) => filter?.podUid === undefined || pod.uid === filter.podUid)
      .map((container) => this.#status(container));
  }

  async containerStatus(id: string): Promise<ContainerStatus | undefined> {
    await this.#work(0);
    const container = this.#containers.get(id);
    return container && this.#status(container);
  }

  async exec(id: string, options: ExecOptions): Promise<number> {
    await this.#work(0);
    const container = this.#running(id);
    const exitCode = (await this.#options.exec?.(this.#status(container), options)) ?? 0;
    options.stdout?.end();
    options.stderr?.end();
    return exitCode;
  }

  async attach(id: string, options: Omit<ExecOptions, 'command'>): Promise<void> {
    await this.#work(0);
    const container = this.#running(id);
    const done = new AbortController();
    const echo = container.behaviour.echoesStdin && options.stdin ? echoStdin(container, options.stdin) : undefined;
    echo?.catch(() => undefined).finally(() => done.abort());
    const signal = AbortSignal.any([done.signal, ...(options.signal ? [options.signal] : [])]);
    await Promise.all([
      options.stdout &&
        copyLog(container, { follow: true, timestamps: false, stream: 'stdout', signal }, options.stdout),
      options.stderr &&
        copyLog(container, { follow: true, timestamps: false, stream: 'stderr', signal }, options.stderr),
      container.exited(signal),
    ]);
    options.stdout?.end();
    options.stderr?.end();
  }

  async logs(id: string, options: LogOptions, stdout: Writable): Promise<void> {
    await this.#work(0);
    await copyLog(this.#container(id), options, stdout);
  }

  async portForward(sandboxId: string, port: number): Promise<Duplex> {
    await this.#work(0);
    const sandbox = this.#sandboxes.get(sandboxId);
    if (!sandbox?.ready) throw new RuntimeError('NotFound', `sandbox ${sandboxId} does not run`);
    const connection = this.#options.listener?.(sandboxStatus(sandboxId, sandbox), port);
    if (!connection) throw new RuntimeError('Failed', `dial tcp4 127.0.0.1:${port}: connect: connection refused`);
    return connection;
  }

  async imageStatus(reference: string): Promise<ImageStatus | undefined> {
    await this.#work(0);
    return this.#findImage(reference);
  }

  async pullImage(reference: string, _auth?: unknown, signal?: AbortSignal): Promise<ImageStatus> {
    const name = parseImageReference(reference).canonical;
    await this.#work(this.#latencies.pullMs, signal);
    const { registry } = this.#options;
    if (registry && !registry.some((known) => parseImageReference(known).canonical === name)) {
      throw new RuntimeError('ImageNotFound', `manifest for ${reference} not found: manifest unknown`);
    }
    return this.#addImage(reference);
  }

  async listImages(): Promise<readonly ImageStatus[]> {
    await this.#work(0);
    return [...this.#images.values()];
  }

  async removeImage(reference: string): Promise<void> {
    await this.#work(0);
    const image = this.#findImage(reference);
    for (const [name, { id }] of this.#images) if (id === image?.id) this.#images.delete(name);
  }

  async loadImage(tar: Readable): Promise<readonly string[]> {
    await this.#work(0);
    for await (const chunk of tar) void chunk;
    const reference = `loaded/image:${this.#ids++}`;
    this.#addImage(reference);
    return [reference];
  }

  /** Nothing that is only pretended takes any room. */
  async containerDiskBytes(id: string): Promise<number> {
    await this.#work(0);
    this.#container(id);
    return 0;
  }

  async stats(): Promise<readonly ContainerStats[]> {
    await this.#work(0);
    const atMs = this.#options.clock.now();
    return [...this.#containers.values()]
      .filter(({ state }) => state === 'running')
      .map((container) => ({
        id: container.id,
        pod: container.pod,
        name: container.config.name,
        image: container.config.image,
        cpuNanoseconds: 0,
        throttling: { periods: 0, throttledPeriods: 0, throttledNanoseconds: 0 },
        memoryUsageBytes: 0,
        memoryCacheBytes: 0,
        memoryWorkingSetBytes: 0,
        memoryRssBytes: 0,
        atMs,
        startedAtMs: container.status().startedAtMs ?? atMs,
      }));
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const queue = new EventQueue<RuntimeEvent>();
    if (this.#isAway) queue.fail(new RuntimeError('Unavailable', 'the hollow engine is away'));
    if (signal.aborted) queue.end();
    this.#queues.add(queue);
    signal.addEventListener('abort', () => (this.#queues.delete(queue), queue.end()), { once: true });
    return queue;
  }

  async close(): Promise<void> {
    for (const queue of this.#queues) queue.end();
    this.#queues.clear();
  }

  async #work(latencyMs: number, signal?: AbortSignal): Promise<void> {
    if (latencyMs > 0) await this.#options.clock.sleep(latencyMs, signal);
    if (this.#isAway) throw new RuntimeError('Unavailable', 'the hollow engine is away');
  }

  #status(container: HollowContainer): ContainerStatus {
    return { ...container.status(), imageId: this.#findImage(container.config.image)?.id ?? container.config.image };
  }

  #container(id: string): HollowContainer {
    const container = this.#containers.get(id);
    if (!container) throw new RuntimeError('NotFound', `No such container: ${id}`);
    return container;
  }

  #running(id: string): HollowContainer {
    const container = this.#container(id);
    if (container.state !== 'running') throw new RuntimeError('Conflict', `container ${id} is not running`);
    return container;
  }

  #endSandbox(id: string, sandbox: HollowSandbox): void {
    for (const container of this.#containers.values()) if (container.sandboxId === id) container.exit(137);
    if (!sandbox.ready) return;
    sandbox.ready = false;
    if (sandbox.ip !== undefined) this.#addresses?.give(sandbox.ip);
    this.#emit(sandbox.config, id, 'died');
  }

  #findImage(reference: string): ImageStatus | undefined {
    const byId = [...this.#images.values()].find(({ id }) => id === reference);
    return byId ?? this.#images.get(parseImageReference(reference).canonical);
  }

  #addImage(reference: string): ImageStatus {
    const { canonical, familiar } = parseImageReference(reference);
    const id = `sha256:${Buffer.from(canonical).toString('hex').padEnd(64, '0').slice(-64)}`;
    const image = { id, tags: [familiar], digests: [], sizeBytes: 1_000_000 };
    this.#images.set(canonical, image);
    return image;
  }

  #newId(): string {
    return (++this.#ids).toString(16).padStart(64, '0');
  }

  #emit(config: SandboxConfig, containerId: string, type: RuntimeEvent['type']): void {
    this.#publish({ pod: config.pod, containerId, type });
  }

  #publish(event: RuntimeEvent): void {
    if (!this.#isAway) for (const queue of this.#queues) queue.push(event);
  }
}

function sandboxStatus(id: string, sandbox: HollowSandbox): SandboxStatus {
  const { config, createdAtMs, ip, ready } = sandbox;
  const { pod, attempt, annotations } = config;
  const state = ready ? 'ready' : 'notReady';
  return { id, pod, attempt, state, createdAtMs, ips: ready && ip !== undefined ? [ip] : [], annotations };
}

async function echoStdin(container: HollowContainer, stdin: Readable): Promise<void> {
  for await (const chunk of stdin) container.write('stdout', String(chunk));
  container.exit(0);
}

async function copyLog(container: HollowContainer, options: LogOptions, stdout: Writable): Promise<void> {
  const { follow, timestamps, tailLines, sinceMs, limitBytes, stream, signal } = options;
  const wanted = container.log.filter((entry) => sinceMs === undefined || entry.atMs >= sinceMs);
  let position = container.log.length - (tailLines === undefined ? wanted.length : Math.min(tailLines, wanted.length));
  const output = new BoundedOutput(stdout, limitBytes);
  while (!output.full && !signal?.aborted) {
    for (; position < container.log.length; position++) {
      const entry = container.log[position];
      if (!entry || (stream !== undefined && entry.stream !== stream)) continue;
      const prefix = timestamps ? `${new Date(entry.atMs).toISOString().replace('Z', '000000Z')} ` : '';
      await output.write(Buffer.from(prefix + entry.text));
    }
    if (!follow || container.state !== 'running') return;
    if (position === container.log.length) await container.changed(signal);
  }
}

import { mkdir } from 'node:fs/promises';
import type { Duplex, Readable, Writable } from 'node:stream';

import type { ContainerInfo, ContainerInspectInfo } from 'dockerode';

import type { Clock } from '../../../shared/clock/clock.js';
import type { Log } from '../../../shared/log/log.js';
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
import { killTogether } from './docker-cgroup.js';
import { containerRequest } from './docker-config.js';
import { dockerDiskBytes } from './docker-disk.js';
import { DockerEngine, type CallOptions } from './docker-engine.js';
import { isStatus } from './docker-error.js';
import { dockerEvents } from './docker-event.js';
import { dockerAttach, dockerExec } from './docker-exec.js';
import { DockerImages, type RegistryAuth } from './docker-image.js';
import { containerName, isOwn, label, labelFilters, podOf, type NodeIdentity } from './docker-label.js';
import { dockerLogs } from './docker-log.js';
import { DockerPrivilege } from './docker-privilege.js';
import { removeNetwork } from './docker-network.js';
import { DockerSandboxes, removeContainer } from './docker-sandbox.js';
import { readCgroup, usageOf } from './docker-stats.js';
import { containerDetail, containerStatus, isSandbox, type ContainerDetail } from './docker-status.js';
import { connectToPod } from './pod-socket.js';

export interface DockerOptions extends NodeIdentity {
  /** unix:///path or tcp://host:port. */
  readonly host: string;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  /** How long one request may take; two minutes when undefined. Pulls and streams may take longer. */
  readonly requestTimeoutMs?: number;
}

/** The Docker Engine as a container runtime. It sees only the containers of its own cluster and node. */
export class DockerRuntime implements ContainerRuntime {
  readonly #clock: Clock;
  readonly #log: Pick<Log, 'warn'>;
  readonly #owner: NodeIdentity;
  readonly #engine: DockerEngine;
  readonly #images: DockerImages;
  readonly #sandboxes: DockerSandboxes;
  readonly #privilege: DockerPrivilege;
  /** What inspecting told, by `id state`: it does not change while the state stays. Pruned at each full list. */
  readonly #details = new Map<string, ContainerDetail>();
  /** Containers that ran out of memory. An engine that notices it after their end tells it in an event alone. Pruned likewise. */
  readonly #outOfMemory = new Set<string>();
  #version: RuntimeVersion | undefined;

  constructor(options: DockerOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#owner = { cluster: options.cluster, node: options.node };
    this.#engine = new DockerEngine(options.host, options.clock, options.requestTimeoutMs);
    this.#images = new DockerImages(this.#engine);
    this.#privilege = new DockerPrivilege(this.#engine, this.#images, this.#owner, options.log);
    this.#sandboxes = new DockerSandboxes(this.#engine, this.#images, this.#owner, options.log);
  }

  /** What cannot change while the engine runs is asked once; then it is only pinged. */
  async version(signal?: AbortSignal): Promise<RuntimeVersion> {
    const options = { isUrgent: true, ...(signal ? { signal } : {}) };
    try {
      await this.#engine.call('ping', (docker) => docker.ping(), options);
      return (this.#version ??= await this.#readVersion(options));
    } catch (error) {
      this.#version = undefined;
      throw error;
    }
  }

  ensureNetwork(podCIDR: string): Promise<void> {
    return this.#sandboxes.ensureNetwork(podCIDR);
  }

  removeNetwork(): Promise<void> {
    return removeNetwork(this.#engine, this.#owner);
  }

  runPodSandbox(config: SandboxConfig): Promise<string> {
    return this.#sandboxes.run(config);
  }

  stopPodSandbox(id: string): Promise<void> {
    return this.#sandboxes.stop(id);
  }

  removePodSandbox(id: string): Promise<void> {
    return this.#sandboxes.remove(id);
  }

  listPodSandboxes(filter?: { podUid?: string }): Promise<readonly SandboxStatus[]> {
    return this.#sandboxes.list(filter?.podUid);
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string> {
    await this.#requireAppArmor(config.security.appArmorProfile);
    const allowsPrivileged = !config.security.privileged || (await this.#privilege.isAllowed());
    const limits = { ...(await this.#sandboxes.limitsIn(sandboxId)), allowsPrivileged };
    const request = containerRequest(this.#owner, sandboxId, config, sandbox, limits);
    const create = async (): Promise<string> =>
      (
        await this.#engine.call('create container', (docker, abortSignal) =>
          docker.createContainer({ ...request, abortSignal }),
        )
      ).id;
    try {
      return await create();
    } catch (error) {
      if (!(await this.#remedy(error, config, sandbox))) throw error;
      return create();
    }
  }

  /** An engine that lacks AppArmor takes any profile, and does not confine: the container must not start then. */
  async #requireAppArmor(profile: string | undefined): Promise<void> {
    if (profile === undefined || profile === 'unconfined') return;
    const info = (await this.#engine.call('info', (docker) => docker.info())) as { SecurityOptions?: string[] };
    if (info.SecurityOptions?.some((option) => option.split(',').includes('name=apparmor'))) return;
    throw new RuntimeError('Failed', 'the engine does not enforce AppArmor profiles: is apparmor_parser installed?');
  }

  memoryVolumePath(podUid: string, volume: string): Promise<string | undefined> {
    return this.#sandboxes.memoryVolumePath(podUid, volume);
  }

  allowsPrivileged(): Promise<boolean> {
    return this.#privilege.isAllowed();
  }

  async startContainer(id: string): Promise<void> {
    if (this.#details.has(`${id} exited`)) throw new RuntimeError('Conflict', `container ${id} has already exited`);
    try {
      await this.#engine.call('start container', async (docker, abortSignal) => {
        try {
          await docker.getContainer(id).start({ abortSignal });
        } catch (error) {
          if (!isStatus(error, 304)) throw error;
        }
      });
    } catch (error) {
      const isStartFailure = error instanceof RuntimeError && !['Unavailable', 'NotFound'].includes(error.code);
      if (!isStartFailure) throw error;
      throw new RuntimeError('StartFailed', `failed to start container "${id}": ${error.message}`);
    }
    await killTogether(id).catch((error: unknown) => {
      this.#log.warn('a container that runs out of memory may lose one process alone', { id, why: String(error) });
    });
  }

  async updateContainer(
    id: string,
    { cpuShares, cpuQuota, cpuPeriod, memoryLimitBytes }: ContainerResources,
  ): Promise<void> {
    await this.#engine.call('update container', (docker, abortSignal) =>
      docker.getContainer(id).update({
        ...(cpuShares === undefined ? {} : { CpuShares: cpuShares }),
        ...(cpuQuota === undefined ? {} : { CpuQuota: cpuQuota, CpuPeriod: cpuPeriod }),
        ...(memoryLimitBytes === undefined ? {} : { Memory: memoryLimitBytes, MemorySwap: memoryLimitBytes }),
        abortSignal,
      }),
    );
    this.#details.delete(`${id} running`);
  }

  async stopContainer(id: string, timeoutSeconds: number): Promise<void> {
    const call = async (): Promise<void> =>
      this.#engine.call(
        'stop container',
        async (docker, abortSignal) => {
          const container = docker.getContainer(id);
          try {
            await (timeoutSeconds > 0
              ? container.stop({ t: Math.ceil(timeoutSeconds) })
              : container.kill({ abortSignal }));
          } catch (error) {
            // 409: it does not run, so there is nothing to kill.
            if (!isStatus(error, 304, 404, 409)) throw error;
          }
        },
        { waitMs: timeoutSeconds * 1000 },
      );
    await call();
  }

  removeContainer(id: string): Promise<void> {
    return removeContainer(this.#engine, id);
  }

  async listAll(): Promise<readonly RuntimeItem[]> {
    const filters = { label: labelFilters(this.#owner) };
    const found = await this.#engine.call('list containers', (docker, abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    return found.map(({ Id: id, Labels }) => {
      const container = isSandbox(Labels) ? undefined : (Labels[label.container] ?? '');
      return { id, pod: podOf(Labels), ...(container === undefined ? {} : { container }) };
    });
  }

  async listContainers(filter?: { podUid?: string }): Promise<readonly ContainerStatus[]> {
    const listed = await this.#list(filter?.podUid);
    const statuses = await Promise.all(listed.map((info) => this.#statusOf(info)));
    if (filter?.podUid === undefined) this.#prune(listed);
    return statuses.filter((status) => status !== undefined);
  }

  async containerStatus(id: string): Promise<ContainerStatus | undefined> {
    const inspected = await this.#inspect(id);
    if (!inspected) return undefined;
    const { Config, Image: imageId } = inspected;
    if (!isOwn(this.#owner, Config.Labels) || isSandbox(Config.Labels)) return undefined;
    return containerStatus({ id: inspected.Id, imageId, labels: Config.Labels }, this.#remember(inspected));
  }

  exec(id: string, options: ExecOptions): Promise<number> {
    return dockerExec(this.#engine, this.#clock, id, options);
  }

  attach(id: string, options: Omit<ExecOptions, 'command'>): Promise<void> {
    return dockerAttach(this.#engine, this.#clock, id, options);
  }

  containerDiskBytes(id: string): Promise<number> {
    return dockerDiskBytes(this.#engine, id);
  }

  async logs(id: string, options: LogOptions, stdout: Writable): Promise<void> {
    const inspected = await this.#inspect(id);
    if (!inspected) throw new RuntimeError('NotFound', `No such container: ${id}`);
    await dockerLogs(this.#engine, { id, tty: inspected.Config.Tty }, options, stdout);
  }

  async portForward(sandboxId: string, port: number): Promise<Duplex> {
    const inspected = await this.#inspect(sandboxId);
    if (!inspected?.State.Running) throw new RuntimeError('NotFound', `sandbox ${sandboxId} does not run`);
    const addresses = Object.values(inspected.NetworkSettings.Networks).map(({ IPAddress }) => IPAddress);
    const ip = addresses.find((address) => address !== '');
    return connectToPod({ ip, pid: inspected.State.Pid }, port, this.#clock);
  }

  imageStatus(reference: string): Promise<ImageStatus | undefined> {
    return this.#images.status(reference);
  }

  pullImage(reference: string, auth: RegistryAuth | undefined, signal?: AbortSignal): Promise<ImageStatus> {
    return this.#images.pull(reference, auth, signal);
  }

  listImages(): Promise<readonly ImageStatus[]> {
    return this.#images.list();
  }

  removeImage(reference: string): Promise<void> {
    return this.#images.remove(reference);
  }

  loadImage(tar: Readable): Promise<readonly string[]> {
    return this.#images.load(tar);
  }

  async stats(): Promise<readonly ContainerStats[]> {
    const running = (await this.#list()).filter(({ State }) => State === 'running');
    const stats = await Promise.all(running.map((info) => this.#statsOf(info)));
    return stats.filter((one) => one !== undefined);
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return this.#noting(dockerEvents(this.#engine, this.#owner, this.#clock.now(), signal));
  }

  async *#noting(events: AsyncIterable<RuntimeEvent>): AsyncGenerator<RuntimeEvent> {
    for await (const event of events) {
      if (event.type === 'oom') this.#noteOutOfMemory(event.containerId);
      yield event;
    }
  }

  #noteOutOfMemory(id: string): void {
    this.#outOfMemory.add(id);
    const known = this.#details.get(`${id} exited`);
    if (known) this.#details.set(`${id} exited`, { ...known, oomKilled: true });
  }

  async close(): Promise<void> {
    this.#details.clear();
  }

  async #readVersion(options: CallOptions): Promise<RuntimeVersion> {
    const answer = await this.#engine.call('info', (docker) => docker.info(), options);
    const info = answer as Readonly<Record<string, string | number>>;
    return {
      name: 'docker',
      version: String(info['ServerVersion']),
      operatingSystem: String(info['OperatingSystem']),
      kernelVersion: String(info['KernelVersion']),
      architecture: String(info['Architecture']),
      cpus: Number(info['NCPU']),
      memoryBytes: Number(info['MemTotal']),
    };
  }

  #list(podUid?: string): Promise<ContainerInfo[]> {
    const filters = { label: [...labelFilters(this.#owner, podUid), label.sandbox] };
    return this.#engine.call('list containers', (docker, abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
  }

  async #statusOf(info: ContainerInfo): Promise<ContainerStatus | undefined> {
    const base = { id: info.Id, imageId: info.ImageID, labels: info.Labels };
    // Docker goes on to call a container created when its start has failed.
    const isOver = ['created', 'exited', 'dead'].includes(info.State);
    const known = this.#details.get(`${info.Id} ${isOver ? 'exited' : info.State}`);
    if (known) return containerStatus(base, known);
    const inspected = await this.#inspect(info.Id);
    return inspected && containerStatus(base, this.#remember(inspected));
  }

  #inspect(id: string): Promise<ContainerInspectInfo | undefined> {
    return this.#engine.call('inspect container', async (docker, abortSignal) => {
      try {
        return await docker.getContainer(id).inspect({ abortSignal });
      } catch (error) {
        if (isStatus(error, 404)) return undefined;
        throw error;
      }
    });
  }

  /** A created container may yet be started or fail to: its detail is not kept. */
  #remember(inspected: ContainerInspectInfo): ContainerDetail {
    const told = containerDetail(inspected);
    const isOutOfMemory = told.state === 'exited' && this.#outOfMemory.has(inspected.Id);
    const detail = isOutOfMemory ? { ...told, oomKilled: true } : told;
    if (detail.state === 'exited') this.#details.delete(`${inspected.Id} running`);
    if (detail.state !== 'created') this.#details.set(`${inspected.Id} ${detail.state}`, detail);
    return detail;
  }

  #prune(listed: readonly ContainerInfo[]): void {
    const present = new Set(listed.map(({ Id }) => Id));
    for (const key of this.#details.keys()) if (!present.has(key.split(' ')[0] ?? '')) this.#details.delete(key);
    for (const id of this.#outOfMemory) if (!present.has(id)) this.#outOfMemory.delete(id);
  }

  /** Puts right what made a create fail, if it can be. */
  async #remedy(error: unknown, config: ContainerConfig, sandbox: SandboxConfig): Promise<boolean> {
    if (!(error instanceof RuntimeError)) return false;
    if (error.code === 'Conflict' && /already in use by container/.test(error.message)) {
      const listed = (await this.#list(sandbox.pod.uid)).find(({ Names }) =>
        Names.includes(`/${containerName(sandbox.pod, config.name, config.attempt)}`),
      );
      const status = listed && (await this.#statusOf(listed));
      if (status && status.state !== 'created') return false;
      if (status) await this.removeContainer(status.id);
      return true;
    }
    const missing = /bind source path does not exist: (.+)$/.exec(error.message)?.[1]?.trim();
    if (missing === undefined || !config.mounts.some(({ hostPath }) => hostPath === missing)) return false;
    for (const { hostPath } of config.mounts) await mkdir(hostPath, { recursive: true }).catch(() => undefined);
    return true;
  }

  async #statsOf(info: ContainerInfo): Promise<ContainerStats | undefined> {
    const usage = (await readCgroup(info.Id)) ?? (await this.#engineStats(info.Id));
    const name = info.Labels[label.container] ?? '';
    if (!usage) return undefined;
    const { startedAtMs } = (await this.#statusOf(info)) ?? {};
    const started = startedAtMs === undefined ? {} : { startedAtMs };
    const image = info.Labels[label.image] ?? info.Image;
    return { id: info.Id, pod: podOf(info.Labels), name, image, ...usage, atMs: this.#clock.now(), ...started };
  }

  #engineStats(id: string): ReturnType<typeof readCgroup> {
    return this.#engine.call('container stats', async (docker) => {
      try {
        return usageOf(await docker.getContainer(id).stats({ stream: false, 'one-shot': true }));
      } catch (error) {
        if (isStatus(error, 404, 409)) return undefined;
        throw error;
      }
    });
  }
}

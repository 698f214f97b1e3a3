import { statfs } from 'node:fs/promises';
import type { Log } from '../../../shared/log/log.js';
import { isStatus } from './docker-error.js';
import { RuntimeError, type SandboxConfig, type SandboxStatus } from '../container-runtime.js';
import { memoryVolumeName, sandboxRequest, type EngineLimits } from './docker-config.js';
import type { DockerEngine } from './docker-engine.js';
import type { DockerImages } from './docker-image.js';
import { containerName, labelFilters, SANDBOX_CONTAINER, label, type NodeIdentity } from './docker-label.js';
import { ensureNetwork, networkName } from './docker-network.js';
import { sandboxStatus } from './docker-status.js';

const TMPFS_MAGIC = 0x01021994;

/** One more try for each thing that can be put right: image, network, stale container, OOM score. */
const MAX_TRIES = 5;

/** The sandboxes of one node: pause containers and what belongs to them. */
export class DockerSandboxes {
  readonly #engine: DockerEngine;
  readonly #images: DockerImages;
  readonly #owner: NodeIdentity;
  readonly #log: Pick<Log, 'warn'>;
  /** Whether the engine may lower OOM scores shows at the first sandbox: runc's message does not name the cause. */
  #negativeOomScore: 'unproven' | 'allowed' | 'refused' = 'unproven';
  #podCIDR: string | undefined;

  constructor(engine: DockerEngine, images: DockerImages, owner: NodeIdentity, log: Pick<Log, 'warn'>) {
    this.#engine = engine;
    this.#images = images;
    this.#owner = owner;
    this.#log = log;
  }

  /** Limits for a container in a sandbox; one that an earlier process of ours has started shows them as well. */
  async limitsIn(sandboxId: string): Promise<EngineLimits> {
    if (this.#negativeOomScore === 'unproven') {
      const { HostConfig } = await this.#engine.call('inspect container', (docker, abortSignal) =>
        docker.getContainer(sandboxId).inspect({ abortSignal }),
      );
      this.#learn({ allowsNegativeOomScore: (HostConfig.OomScoreAdj ?? 0) < 0 });
    }
    return this.#limits;
  }

  get #limits(): EngineLimits {
    return { allowsNegativeOomScore: this.#negativeOomScore !== 'refused' };
  }

  async ensureNetwork(podCIDR: string): Promise<void> {
    await ensureNetwork(this.#engine, this.#owner, podCIDR);
    this.#podCIDR = podCIDR;
  }

  /** Creates and starts, nothing else when all is well; puts right what the engine complains of and tries again. */
  async run(config: SandboxConfig): Promise<string> {
    let limits = this.#limits;
    for (let tries = 1; ; tries++) {
      const outcome = await this.#tryRun(config, limits);
      if ('id' in outcome) {
        this.#learn(limits);
        return outcome.id;
      }
      const isSuspect =
        /OCI runtime create failed/.test(outcome.error.message) && this.#negativeOomScore === 'unproven';
      if (isSuspect && limits.allowsNegativeOomScore) {
        limits = { allowsNegativeOomScore: false };
        continue;
      }
      if (tries === MAX_TRIES || !(await this.#remedy(outcome.error, config))) {
        const { message } = outcome.error;
        throw new RuntimeError(
          outcome.error.code,
          `failed to start sandbox container for pod "${config.pod.name}": ${message}`,
        );
      }
    }
  }

  async stop(id: string): Promise<void> {
    const inside = await this.#containersIn(id);
    await Promise.all(inside.filter(({ State }) => State === 'running').map(({ Id }) => this.#kill(Id)));
    await this.#kill(id);
  }

  async remove(id: string): Promise<void> {
    const inside = await this.#containersIn(id);
    await Promise.all(inside.map(({ Id }) => removeContainer(this.#engine, Id)));
    const volumes = await this.#memoryVolumes(id);
    await removeContainer(this.#engine, id);
    await Promise.all(volumes.map((name) => this.#removeVolume(name)));
  }

  async memoryVolumePath(podUid: string, volume: string): Promise<string | undefined> {
    const { Mountpoint } = await this.#engine.call('inspect volume', (docker, abortSignal) =>
      docker.getVolume(memoryVolumeName(podUid, volume)).inspect({ abortSignal }),
    );
    return (await isTmpfs(Mountpoint)) ? Mountpoint : undefined;
  }

  async list(podUid?: string): Promise<readonly SandboxStatus[]> {
    const filters = { label: [...labelFilters(this.#owner, podUid), `${label.container}=${SANDBOX_CONTAINER}`] };
    const found = await this.#engine.call('list containers', (docker, abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    return found.map(sandboxStatus);
  }

  #learn({ allowsNegativeOomScore }: EngineLimits): void {
    if (this.#negativeOomScore !== 'unproven') return;
    this.#negativeOomScore = allowsNegativeOomScore ? 'allowed' : 'refused';
    if (!allowsNegativeOomScore) this.#log.warn('the engine may not lower OOM scores: 0 is used instead');
  }

  async #tryRun(config: SandboxConfig, limits: EngineLimits): Promise<{ id: string } | { error: RuntimeError }> {
    let id: string | undefined;
    try {
      const request = sandboxRequest(this.#owner, config, networkName(this.#owner), limits);
      id = (
        await this.#engine.call('create container', (docker, abortSignal) =>
          docker.createContainer({ ...request, abortSignal }),
        )
      ).id;
      const created = id;
      await this.#engine.call('start container', (docker, abortSignal) =>
        docker.getContainer(created).start({ abortSignal }),
      );
      return { id };
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      if (error.code === 'Conflict' && id === undefined) {
        const running = (await this.list(config.pod.uid)).find(
          ({ attempt, state }) => attempt === config.attempt && state === 'ready',
        );
        if (running) return { id: running.id };
      }
      if (id !== undefined && error.code !== 'Unavailable') await removeContainer(this.#engine, id);
      return { error };
    }
  }

  async #remedy(error: RuntimeError, config: SandboxConfig): Promise<boolean> {
    if (error.code === 'ImageNotFound') {
      await this.#images.importPause();
      return true;
    }
    if (error.code === 'Conflict' && /already in use by container/.test(error.message)) {
      await removeContainer(this.#engine, containerName(config.pod, SANDBOX_CONTAINER, config.attempt));
      return true;
    }
    if (/network .*not found/i.test(error.message) && this.#podCIDR !== undefined) {
      await this.ensureNetwork(this.#podCIDR);
      return true;
    }
    return false;
  }

  #containersIn(sandboxId: string): Promise<readonly { Id: string; State: string }[]> {
    const filters = { label: [...labelFilters(this.#owner), `${label.sandbox}=${sandboxId}`] };
    return this.#engine.call('list containers', (docker, abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
  }

  #kill(id: string): Promise<void> {
    return this.#engine.call('kill container', async (docker, abortSignal) => {
      try {
        await docker.getContainer(id).kill({ abortSignal });
      } catch (error) {
        if (!isStatus(error, 304, 404, 409)) throw error;
      }
    });
  }

  async #memoryVolumes(sandboxId: string): Promise<string[]> {
    // The list, not the container: looking at one that is stuck would hang.
    const filters = { id: [sandboxId], label: [`${label.container}=${SANDBOX_CONTAINER}`] };
    const found = await this.#engine.call('list containers', (docker, abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    return found.flatMap(({ Mounts, Labels }) => {
      const prefix = memoryVolumeName(Labels[label.podUid] ?? '', '');
      return Mounts.flatMap(({ Name }) => (Name?.startsWith(prefix) ? [Name] : []));
    });
  }

  #removeVolume(name: string): Promise<void> {
    return this.#engine.call('remove volume', async (docker, abortSignal) => {
      try {
        await docker.getVolume(name).remove({ abortSignal });
      } catch (error) {
        if (!isStatus(error, 404)) throw error;
      }
    });
  }
}

/** Removes a container with its anonymous volumes, running or not; one that is gone, or on its way, is removed. */
export function removeContainer(engine: DockerEngine, id: string): Promise<void> {
  return engine.call('remove container', async (docker, abortSignal) => {
    try {
      await docker.getContainer(id).remove({ force: true, v: true, abortSignal });
    } catch (error) {
      if (isStatus(error, 404)) return;
      if (isStatus(error, 409) && /already in progress/.test(String(error))) return;
      throw error;
    }
  });
}

/** An engine that mounts where this process cannot see it leaves an empty directory here, or nothing. */
async function isTmpfs(path: string): Promise<boolean> {
  try {
    return (await statfs(path)).type === TMPFS_MAGIC;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

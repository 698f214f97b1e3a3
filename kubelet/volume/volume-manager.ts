import { access, chmod, chown, mkdir, rename } from 'node:fs/promises';
import type { Pod, Volume } from '../../shared/api/generated/types.js';
import type { NodeFacts } from '../container/field-ref.js';
import { writeAtomically } from './atomic-writer.js';
import { prepareHostPath } from './host-path.js';
import { volumePayload, type PayloadInput } from './payload.js';
import type { PodDirectories } from './pod-directories.js';

/** A volume ready to be mounted. */
export type MountedVolume =
  | { readonly type: 'path'; readonly path: string }
  /** In memory: the sandbox holds it under the volume's name. */
  | { readonly type: 'memory' };

export interface VolumeManagerOptions {
  readonly directories: PodDirectories;
  readonly payload: () => Pick<PayloadInput, 'source' | 'tokens' | 'allocatable'>;
}

/** Makes the volumes of pods on this node and keeps their contents up to date. */
export class VolumeManager {
  readonly #options: VolumeManagerOptions;
  /** Last writer of each volume: a start and a refresh may meet. */
  readonly #writing = new Map<string, Promise<unknown>>();

  constructor(options: VolumeManagerOptions) {
    this.#options = options;
  }

  /** Prepares every volume; may be repeated at any time. Throws a sentence that names the volume which cannot be had. */
  async prepare(pod: Pod, facts: NodeFacts): Promise<ReadonlyMap<string, MountedVolume>> {
    const mounted = new Map<string, MountedVolume>();
    await Promise.all(
      (pod.spec.volumes ?? []).map(async (volume) => {
        try {
          mounted.set(volume.name, await this.#mount(pod, volume, facts));
        } catch (error) {
          throw new VolumeError(volume.name, error);
        }
      }),
    );
    return mounted;
  }

  /** Brings configMaps, secrets, tokens and labels of running pods up to date. */
  async refresh(pod: Pod, facts: NodeFacts): Promise<void> {
    for (const volume of pod.spec.volumes ?? []) {
      if (volume.configMap || volume.secret || volume.projected || volume.downwardAPI) {
        await this.#mount(pod, volume, facts);
      }
    }
  }

  async #mount(pod: Pod, volume: Volume, facts: NodeFacts): Promise<MountedVolume> {
    const uid = pod.metadata.uid ?? '';
    if (volume.hostPath) {
      await prepareHostPath(volume.hostPath.path, volume.hostPath.type ?? '');
      return { type: 'path', path: volume.hostPath.path };
    }
    if (volume.emptyDir?.medium === 'Memory') return { type: 'memory' };
    const fsGroup = pod.spec.securityContext?.fsGroup;
    if (volume.emptyDir) {
      const path = this.#options.directories.volume(uid, 'empty-dir', volume.name);
      await this.#emptyDirectory(path, fsGroup);
      return { type: 'path', path };
    }
    const payload = await volumePayload(volume, { ...this.#options.payload(), pod, facts });
    if (!payload) throw new Error('no volume plugin matched');
    const path = this.#options.directories.volume(uid, kindOf(volume), volume.name);
    await mkdir(path, { recursive: true, mode: 0o755 });
    await chmod(path, fsGroup === undefined ? 0o755 : 0o2775);
    if (fsGroup !== undefined) await chown(path, 0, fsGroup);
    await this.#inTurn(path, () => writeAtomically(path, payload, fsGroup));
    return { type: 'path', path };
  }

  async #inTurn(path: string, write: () => Promise<unknown>): Promise<void> {
    const turn = (this.#writing.get(path) ?? Promise.resolve()).catch(() => undefined).then(write);
    this.#writing.set(path, turn);
    try {
      await turn;
    } finally {
      if (this.#writing.get(path) === turn) this.#writing.delete(path);
    }
  }

  /** Open to every user of the pod, as containers may run as anyone; with an fsGroup its files belong to the group. */
  async #emptyDirectory(path: string, fsGroup: number | undefined): Promise<void> {
    if (await exists(path)) return;
    // Made aside and renamed, so that a kubelet killed in between does not leave one with the wrong mode.
    const unfinished = `${path}.new`;
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    if (fsGroup !== undefined) await chown(unfinished, 0, fsGroup);
    await chmod(unfinished, fsGroup === undefined ? 0o777 : 0o2777);
    await rename(unfinished, path);
  }
}

/** A volume cannot be had; the pod waits and the attempt is repeated. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
  constructor(volume: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`MountVolume.SetUp failed for volume "${volume}" : ${why}`, { cause });
  }
}

function kindOf(volume: Volume): string {
  if (volume.configMap) return 'configmap';
  if (volume.secret) return 'secret';
  return volume.projected ? 'projected' : 'downward-api';
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

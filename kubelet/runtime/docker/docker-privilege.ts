import type { Log } from '../../../shared/log/log.js';
import { RuntimeError } from '../container-runtime.js';
import type { DockerEngine } from './docker-engine.js';
import type { DockerImages } from './docker-image.js';
import { label, type NodeIdentity } from './docker-label.js';
import { PAUSE_IMAGE } from './pause-image.js';
import { removeContainer } from './docker-sandbox.js';

/** What an engine says whose own root lacks capabilities, or that may not give out all devices. */
const REFUSAL = /operation not permitted|permission denied/i;

/** Finds out, once and by trying, whether this engine may start privileged containers. */
export class DockerPrivilege {
  readonly #engine: DockerEngine;
  readonly #images: DockerImages;
  readonly #owner: NodeIdentity;
  readonly #log: Pick<Log, 'warn'>;
  #answer: Promise<boolean> | undefined;

  constructor(engine: DockerEngine, images: DockerImages, owner: NodeIdentity, log: Pick<Log, 'warn'>) {
    this.#engine = engine;
    this.#images = images;
    this.#owner = owner;
    this.#log = log;
  }

  /** A failure that says nothing about privileges is thrown, and the next call tries again. */
  isAllowed(): Promise<boolean> {
    this.#answer ??= this.#try().catch((error: unknown) => {
      this.#answer = undefined;
      throw error;
    });
    return this.#answer;
  }

  async #try(): Promise<boolean> {
    await this.#images.ensurePause();
    const request = {
      Image: PAUSE_IMAGE,
      StopSignal: 'SIGKILL',
      // For another user than root no capability is in effect, and nothing would be refused.
      User: '0',
      // Not a pod's, but of this node: a clean-up finds it.
      Labels: { [label.cluster]: this.#owner.cluster, [label.node]: this.#owner.node, [label.container]: 'privileged' },
      HostConfig: { Privileged: true, NetworkMode: 'none' },
    };
    const { id } = await this.#engine.call('create container', (docker, abortSignal) =>
      docker.createContainer({ ...request, abortSignal }),
    );
    try {
      await this.#engine.call('start container', (docker, abortSignal) =>
        docker.getContainer(id).start({ abortSignal }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof RuntimeError) || !REFUSAL.test(error.message)) throw error;
      const why = error.message;
      this.#log.warn('the engine refuses privileged containers: they get what the host allows instead', { why });
      return false;
    } finally {
      await removeContainer(this.#engine, id);
    }
  }
}

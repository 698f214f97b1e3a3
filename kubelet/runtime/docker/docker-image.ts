import type { Readable } from 'node:stream';

import { RuntimeError, type ImageStatus } from '../container-runtime.js';
import { isImageId, parseImageReference } from '../image-reference.js';
import { bounded, isStatus } from './docker-error.js';
import type { DockerEngine } from './docker-engine.js';
import { imageStatus } from './docker-status.js';
import { jsonLines } from './json-lines.js';
import { PAUSE_CHANGES, PAUSE_IMAGE, pauseTar } from './pause-image.js';

const ABSENT = /not found|manifest unknown|does not exist|name unknown/i;

export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly server: string;
}

/** The images of one engine. What is there is used as it is, however it came. */
export class DockerImages {
  readonly #engine: DockerEngine;

  constructor(engine: DockerEngine) {
    this.#engine = engine;
  }

  async status(reference: string): Promise<ImageStatus | undefined> {
    const name = isImageId(reference) ? reference : parseImageReference(reference).familiar;
    return this.#engine.call('inspect image', async (docker) => {
      try {
        return imageStatus(await docker.getImage(name).inspect());
      } catch (error) {
        if (isStatus(error, 404)) return undefined;
        throw error;
      }
    });
  }

  async list(): Promise<readonly ImageStatus[]> {
    const images = await this.#engine.call('list images', (docker, abortSignal) => docker.listImages({ abortSignal }));
    return images.map(({ Id, RepoTags, RepoDigests, Size }) => ({
      id: Id,
      tags: (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>'),
      digests: (RepoDigests ?? []).filter((digest) => digest !== '<none>@<none>'),
      sizeBytes: Size,
    }));
  }

  async pull(reference: string, auth: RegistryAuth | undefined, signal?: AbortSignal): Promise<ImageStatus> {
    const { domain, path, tag, digest } = parseImageReference(reference);
    const options = { fromImage: `${domain}/${path}`, tag: digest ?? tag ?? 'latest' };
    const login = auth && { username: auth.username, password: auth.password, serveraddress: auth.server };
    const call = { isLong: true, ...(signal ? { signal } : {}) };
    try {
      await this.#engine.call(
        'pull image',
        async (docker, abortSignal) => {
          const progress = await docker.createImage(login, { ...options, abortSignal });
          await throughProgress(progress as Readable);
        },
        call,
      );
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code === 'Unavailable') throw error;
      throw new RuntimeError(ABSENT.test(error.message) ? 'ImageNotFound' : 'PullFailed', error.message);
    }
    const status = await this.status(reference);
    if (!status) throw new RuntimeError('PullFailed', `the engine pulled ${reference} but does not have it`);
    return status;
  }

  /** Removes the reference, or by id every tag of it. What is absent is removed. */
  async remove(reference: string): Promise<void> {
    const name = isImageId(reference) ? reference : parseImageReference(reference).familiar;
    await this.#engine.call('remove image', async (docker, abortSignal) => {
      try {
        await docker.getImage(name).remove({ force: isImageId(reference), abortSignal });
      } catch (error) {
        if (!isStatus(error, 404)) throw error;
      }
    });
  }

  async load(tar: Readable): Promise<readonly string[]> {
    const answer = await this.#engine.call('load image', (docker) => docker.loadImage(tar, { quiet: true }), {
      isLong: true,
    });
    const messages = await throughProgress(answer as Readable);
    return messages.flatMap((message) => /^Loaded image(?: ID)?: (\S+)/.exec(message)?.[1] ?? []);
  }

  /** Imports the pause image if the engine does not have it. */
  async ensurePause(): Promise<void> {
    if (await this.status(PAUSE_IMAGE)) return;
    await this.importPause();
  }

  async importPause(): Promise<void> {
    await this.#engine.call('import pause image', async (docker) => {
      const { Arch } = await docker.version();
      const { path, tag } = parseImageReference(PAUSE_IMAGE);
      const options = { repo: path, tag, changes: PAUSE_CHANGES };
      await throughProgress((await docker.importImage(await pauseTar(Arch), options)) as Readable);
    });
  }
}

/** Reads progress to its end and returns its `stream` messages. A refusal comes as a line, after a status of 200. */
async function throughProgress(progress: Readable): Promise<string[]> {
  const messages: string[] = [];
  for await (const line of jsonLines(progress)) {
    if (typeof line['error'] === 'string') throw new RuntimeError('Failed', bounded(line['error']));
    if (typeof line['stream'] === 'string' && messages.length < 1000) messages.push(line['stream']);
  }
  return messages;
}

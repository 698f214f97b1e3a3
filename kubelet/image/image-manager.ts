import type { Container, Pod } from '../../shared/api/generated/types.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import { isAbort } from '../../shared/errors/status-error.js';
import type { ConfigSource } from '../container/environment.js';
import { StartError } from '../container/start-error.js';
import { Backoff } from '../pod/crash-backoff.js';
import { RuntimeError, type ContainerRuntime, type ImageStatus } from '../runtime/container-runtime.js';
import { containerEvent } from '../event/pod-events.js';
import { parseImageReference } from '../runtime/image-reference.js';
import { missingPullSecrets, pullCredentials } from './pull-secrets.js';

export interface ImageManagerOptions {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly source: ConfigSource;
}

/** Whose image it is. */
interface ImageUser {
  readonly pod: Pod;
  readonly container: Container;
}

/** Sees to it that a container's image is there, as its imagePullPolicy says. Reasons, events and messages are the original's. */
export class ImageManager {
  readonly #options: ImageManagerOptions;
  readonly #backoff = new Backoff();
  /** When a pull last failed, and why, by image and pod. */
  readonly #failures = new Map<string, { atMs: number; message: string }>();

  constructor(options: ImageManagerOptions) {
    this.#options = options;
  }

  /** Throws StartError with the reason that the container's status is to show. */
  async ensure(pod: Pod, container: Container, signal: AbortSignal): Promise<ImageStatus> {
    const image = container.image ?? '';
    const policy = container.imagePullPolicy ?? (usesLatest(image) ? 'Always' : 'IfNotPresent');
    const user = { pod, container };
    const present = await this.#inspect(user, image);
    if (present && policy !== 'Always') {
      const told = `Container image "${image}" already present on machine and can be accessed by the pod`;
      this.#event(user, 'Normal', 'Pulled', told);
      return present;
    }
    if (policy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      this.#event(user, 'Warning', 'ErrImageNeverPull', message);
      throw new StartError('ErrImageNeverPull', message);
    }
    this.#checkBackoff(user, image);
    return await this.#pull(user, image, signal);
  }

  /** When the wait after a failed pull ends; undefined when there is none. */
  retryAtMs(pod: Pod, container: Container): number | undefined {
    const key = keyOf(pod, container.image ?? '');
    const failure = this.#failures.get(key);
    const nowMs = this.#options.clock.now();
    return failure && this.#backoff.waiting(key, failure.atMs, nowMs)?.untilMs;
  }

  forget(uid: string): void {
    this.#backoff.forget(`${uid}/`);
    for (const key of this.#failures.keys()) if (key.startsWith(`${uid}/`)) this.#failures.delete(key);
  }

  async #inspect(user: ImageUser, image: string): Promise<ImageStatus | undefined> {
    try {
      parseImageReference(image);
      return await this.#options.runtime.imageStatus(image);
    } catch (error) {
      if (!(error instanceof RuntimeError && error.code === 'InvalidImageName')) throw error;
      const message = `Failed to apply default image tag "${image}": ${error.message}`;
      this.#event(user, 'Warning', 'InspectFailed', message);
      throw new StartError('InvalidImageName', message);
    }
  }

  #checkBackoff(user: ImageUser, image: string): void {
    const key = keyOf(user.pod, image);
    const failure = this.#failures.get(key);
    if (!failure || !this.#backoff.waiting(key, failure.atMs, this.#options.clock.now())) return;
    const message = `Back-off pulling image "${image}"`;
    this.#event(user, 'Normal', 'BackOff', message);
    throw new StartError('ImagePullBackOff', `${message}: ErrImagePull: ${failure.message}`);
  }

  async #pull(user: ImageUser, image: string, signal: AbortSignal): Promise<ImageStatus> {
    const { clock } = this.#options;
    const key = keyOf(user.pod, image);
    this.#event(user, 'Normal', 'Pulling', `Pulling image "${image}"`);
    const startMs = clock.monotonic();
    try {
      const pulled = await this.#pullWithCredentials(user.pod, image, signal);
      const took = formatDuration(clock.monotonic() - startMs);
      const size = `Image size: ${pulled.sizeBytes} bytes.`;
      this.#event(
        user,
        'Normal',
        'Pulled',
        `Successfully pulled image "${image}" in ${took} (${took} including waiting). ${size}`,
      );
      this.#failures.delete(key);
      this.#backoff.forget(key);
      return pulled;
    } catch (error) {
      if (isAbort(error) || (error instanceof RuntimeError && error.code === 'Unavailable')) throw error;
      const message = error instanceof Error ? error.message : String(error);
      this.#event(user, 'Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
      this.#backoff.next(key, clock.now());
      this.#failures.set(key, { atMs: clock.now(), message });
      throw new StartError('ErrImagePull', message);
    }
  }

  async #pullWithCredentials(pod: Pod, image: string, signal: AbortSignal): Promise<ImageStatus> {
    const { runtime, source, events } = this.#options;
    const missing = (await missingPullSecrets(pod, source)).join(', ');
    if (missing !== '') {
      const message = `Unable to retrieve some image pull secrets (${missing}); attempting to pull the image may not succeed.`;
      events.event(pod, 'Warning', 'FailedToRetrieveImagePullSecret', message);
    }
    const credentials = await pullCredentials(pod, image, source);
    let failure: unknown;
    for (const credential of credentials.length > 0 ? credentials : [undefined]) {
      try {
        return await runtime.pullImage(image, credential, signal);
      } catch (error) {
        if (isAbort(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  #event({ pod, container }: ImageUser, type: 'Normal' | 'Warning', reason: string, message: string): void {
    containerEvent(this.#options.events, pod, container, { type, reason, message });
  }
}

const keyOf = (pod: Pod, image: string): string => `${pod.metadata.uid ?? ''}/${image}`;

function usesLatest(image: string): boolean {
  const name = image.slice(image.lastIndexOf('/') + 1);
  return !name.includes('@') && (!name.includes(':') || name.endsWith(':latest'));
}

/** As Go prints a duration rounded to milliseconds. */
function formatDuration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)}ms` : `${Number((ms / 1000).toFixed(3))}s`;
}

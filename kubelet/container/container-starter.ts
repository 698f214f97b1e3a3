import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Container, Pod, Service } from '../../shared/api/generated/types.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import { isAbort } from '../../shared/errors/status-error.js';
import { containerEvent } from '../event/pod-events.js';
import type { ImageManager } from '../image/image-manager.js';
import type { PodFiles } from '../network/pod-files.js';
import {
  RuntimeError,
  type ContainerRuntime,
  type ContainerStatus,
  type ImageStatus,
  type SandboxConfig,
  type SandboxStatus,
} from '../runtime/container-runtime.js';
import type { PodDirectories } from '../volume/pod-directories.js';
import type { MountedVolume } from '../volume/volume-manager.js';
import { containerConfig } from './container-config.js';
import { containerMounts } from './container-mounts.js';
import { appArmorProfile } from './app-armor.js';
import { localhostSeccomp, verifyNonRoot } from './container-security.js';
import { containerEnvironment, type ConfigSource } from './environment.js';
import type { NodeFacts } from './field-ref.js';
import { runHook } from './lifecycle-hook.js';
import type { NodeAllocatable } from './resource-field.js';
import { CreateContainerConfigError, StartError } from './start-error.js';
import { ephemeralContainersOf } from '../pod/pod-spec.js';

export interface ContainerStarterOptions {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly images: ImageManager;
  readonly podFiles: PodFiles;
  readonly directories: PodDirectories;
  readonly source: ConfigSource;
  readonly services: () => readonly Service[];
  /** The kernel's list of loaded profiles. */
  readonly appArmorProfiles: string;
  readonly machine: () => { readonly allocatable: NodeAllocatable; readonly memoryBytes: number };
}
export interface StartRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly sandbox: SandboxStatus;
  readonly sandboxConfig: SandboxConfig;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  readonly facts: NodeFacts;
  /** What the runtime has of the container that it wants to look into; undefined where there is none. */
  readonly target?: ContainerStatus;
  /** Its image, if somebody has looked already. */
  readonly image?: Promise<ImageStatus>;
  readonly signal: AbortSignal;
  /** Called when the process runs, before its postStart hook. */
  readonly onStarted: () => void;
}

const postStartHookError = 'PostStartHookError';

/** Brings one container to life: image, configuration, create, start, postStart. Throws StartError with the waiting reason. */
export class ContainerStarter {
  readonly #options: ContainerStarterOptions;

  constructor(options: ContainerStarterOptions) {
    this.#options = options;
  }

  async start(request: StartRequest): Promise<void> {
    const { pod, container, signal } = request;
    try {
      const image = await (request.image ?? this.#options.images.ensure(pod, container, signal));
      const id = await this.#create(request, image);
      this.#event(request, 'Normal', 'Created', 'Container created');
      await this.#run(request, id);
    } catch (error) {
      const isTold = error instanceof StartError && error.reason !== postStartHookError;
      if (isTold) this.#event(request, 'Warning', 'Failed', failureMessage(error));
      throw error;
    }
  }

  async #create(request: StartRequest, image: ImageStatus): Promise<string> {
    const { pod, container, attempt, sandbox, facts } = request;
    const { directories, podFiles, source, services, machine, runtime } = this.#options;
    verifyNonRoot(pod, container, image.user);
    const targetId = targetOf(request);
    const profiles = {
      seccomp: await localhostSeccomp(pod, container, directories.seccompProfiles),
      appArmor: await appArmorProfile(pod, container, this.#options.appArmorProfiles),
    };
    const { allocatable, memoryBytes } = machine();
    const environment = await containerEnvironment({
      pod,
      container,
      services: services(),
      facts,
      allocatable,
      source,
    });
    const uid = pod.metadata.uid ?? '';
    const terminationMessageHostPath = directories.terminationMessage(uid, container.name, attempt);
    const [volumes, systemMounts] = await Promise.all([
      containerMounts(container, request.volumes, environment, (name) => runtime.memoryVolumePath(uid, name)),
      podFiles.write(pod, facts.podIPs, directories.etc(uid)),
      emptyFile(terminationMessageHostPath),
    ]);
    const config = containerConfig({
      pod,
      container,
      attempt,
      image: container.image ?? image.id,
      environment,
      volumes,
      systemMounts,
      terminationMessageHostPath,
      machineMemoryBytes: memoryBytes,
      profiles,
      targetId,
    });
    await this.#tellOfLimits(request);
    return await attemptTo('CreateContainerError', () =>
      runtime.createContainer(sandbox.id, config, request.sandboxConfig),
    );
  }

  /** Who gets less than asked for is told so: what fails later would be hard to explain. */
  async #tellOfLimits(request: StartRequest): Promise<void> {
    const { pod, attempt } = request;
    const { name, securityContext } = request.container;
    // Once for the pod: its containers share the file.
    if (attempt === 0 && name === pod.spec.containers[0]?.name) {
      const { events, podFiles } = this.#options;
      for (const message of await podFiles.omissions(pod)) events.event(pod, 'Warning', 'DNSConfigForming', message);
    }
    if (securityContext?.privileged !== true) return;
    const allows = await attemptTo('CreateContainerError', () => this.#options.runtime.allowsPrivileged());
    if (allows) return;
    const message = `Container ${name} is not fully privileged: this host refuses it; it has all devices and all capabilities but SYS_RESOURCE`;
    this.#event(request, 'Warning', 'PrivilegedRefused', message);
  }

  async #run(request: StartRequest, id: string): Promise<void> {
    const { runtime } = this.#options;
    const { container } = request;
    await attemptTo('RunContainerError', () => runtime.startContainer(id));
    this.#event(request, 'Normal', 'Started', 'Container started');
    const postStart = container.lifecycle?.postStart;
    if (!postStart) return;
    request.onStarted();
    await this.#postStart(request, id);
  }

  async #postStart(request: StartRequest, containerId: string): Promise<void> {
    const { runtime, clock } = this.#options;
    const { pod, container, facts, signal } = request;
    const handler = container.lifecycle?.postStart;
    if (!handler) return;
    try {
      const podIP = facts.podIPs[0] ?? facts.hostIPs[0] ?? '';
      await runHook(handler, { runtime, clock, pod, container, containerId, podIP, signal });
    } catch (error) {
      if (isAbort(error) && signal.aborted) throw error;
      // What a hook printed may be a secret: events, which many may read, do not repeat it.
      this.#event(request, 'Warning', 'FailedPostStartHook', 'PostStartHook failed');
      this.#event(request, 'Normal', 'Killing', 'FailedPostStartHook');
      await runtime.stopContainer(containerId, pod.spec.terminationGracePeriodSeconds ?? 30);
      throw new StartError(postStartHookError, error instanceof Error ? error.message : String(error));
    }
  }

  #event({ pod, container }: StartRequest, type: 'Normal' | 'Warning', reason: string, message: string): void {
    containerEvent(this.#options.events, pod, container, { type, reason, message });
  }
}

/** Only a container that runs has processes to be seen: until then it is tried again. */
function targetOf({ pod, container, target }: StartRequest): string | undefined {
  const name = ephemeralContainersOf(pod).find((one) => one.name === container.name)?.targetContainerName;
  if (!name) return undefined;
  if (!target) throw new CreateContainerConfigError(`unable to find target container ${name}`);
  if (target.state !== 'running')
    throw new StartError('CreateContainerError', `target container ${name} is not running`);
  return target.id;
}

/** An engine that is away is nobody's fault here: that error passes through and is tried again. */
async function attemptTo<T>(reason: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.code === 'Unavailable') throw error;
    throw new StartError(reason, error.message);
  }
}

/** Image failures are told by their reason, all others by their message. */
function failureMessage(error: StartError): string {
  return /^(ErrImage|ImagePull|InvalidImage)/.test(error.reason) ? `Error: ${error.reason}` : `Error: ${error.message}`;
}

/** The file behind terminationMessagePath, which any user inside may write. */
async function emptyFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, '', { mode: 0o666 });
  await chmod(path, 0o666);
}

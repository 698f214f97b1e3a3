import type { Readable, Writable } from 'node:stream';

/** Who a sandbox belongs to. All of it is kept in labels, so that a restarted kubelet finds everything again. */
export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}
export interface SandboxConfig {
  readonly pod: PodIdentity;
  readonly attempt: number;
  readonly hostname: string;
  readonly hostNetwork: boolean;
  readonly hostPID: boolean;
  readonly hostIPC: boolean;
  readonly shareProcessNamespace: boolean;
  readonly sysctls: Readonly<Record<string, string>>;
  /** Published on `hostIP` of this node. */
  readonly portMappings: readonly {
    readonly protocol: 'TCP' | 'UDP' | 'SCTP';
    readonly containerPort: number;
    readonly hostPort: number;
    readonly hostIP: string;
  }[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Cgroup parent limits where the runtime supports them. */
  readonly runAsUser?: number;
}
export interface Mount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
  readonly propagation: 'private' | 'rslave' | 'rshared';
}
export interface ContainerResources {
  readonly cpuShares?: number;
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  readonly memoryLimitBytes?: number;
  readonly oomScoreAdj?: number;
  readonly pidsLimit?: number;
}
export interface ContainerSecurity {
  readonly privileged: boolean;
  readonly readOnlyRootFilesystem: boolean;
  readonly noNewPrivileges: boolean;
  /** `1000`, `1000:2000`, or a name. */
  readonly user?: string;
  readonly supplementalGroups: readonly number[];
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly seccompUnconfined?: boolean;
}
export interface ContainerConfig {
  readonly name: string;
  readonly attempt: number;
  /** Image reference or id, as resolved by ensureImage. */
  readonly image: string;
  /** Kubernetes' command (entrypoint); undefined keeps the image's. */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  readonly tmpfs: readonly { readonly containerPath: string; readonly sizeBytes?: number }[];
  readonly resources: ContainerResources;
  readonly security: ContainerSecurity;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly terminationMessagePath: string;
  /** Host file mounted at terminationMessagePath. */
  readonly terminationMessageHostPath: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export type SandboxState = 'ready' | 'notReady';
export type ContainerState = 'created' | 'running' | 'exited' | 'unknown';

export interface SandboxStatus {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly attempt: number;
  readonly state: SandboxState;
  readonly createdAtMs: number;
  /** Pod addresses, primary first; empty for hostNetwork. */
  readonly ips: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}
export interface ContainerStatus {
  readonly id: string;
  readonly sandboxId: string;
  readonly pod: PodIdentity;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerState;
  readonly image: string;
  readonly imageId: string;
  readonly createdAtMs: number;
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
  readonly exitCode?: number;
  readonly signal?: number;
  readonly oomKilled: boolean;
  /** The runtime's own word on why it did not start. */
  readonly error?: string;
  /** Process id on the host while running. */
  readonly pid?: number;
  readonly annotations: Readonly<Record<string, string>>;
}
export interface ContainerStats {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly name: string;
  readonly cpuNanoseconds: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryRssBytes: number;
  readonly atMs: number;
}
export interface ImageStatus {
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  readonly user?: string;
}
/** Something happened to a container or sandbox; a hint to look, never the truth itself. */
export interface RuntimeEvent {
  readonly pod: PodIdentity;
  readonly containerId: string;
  readonly type: 'created' | 'started' | 'died' | 'oom' | 'removed';
}
export interface ExecOptions {
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Terminal sizes as they change; only with tty. */
  readonly resize?: AsyncIterable<{ width: number; height: number }>;
  readonly signal?: AbortSignal;
}
export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly sinceMs?: number;
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
}
export interface RuntimeVersion {
  readonly name: string;
  readonly version: string;
  readonly operatingSystem: string;
  readonly kernelVersion: string;
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** Where the runtime answered: a code that the kubelet turns into a reason. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code:
    | 'NotFound'
    | 'Unavailable'
    | 'ImageNotFound'
    | 'InvalidImageName'
    | 'PullFailed'
    | 'Conflict'
    | 'StartFailed'
    | 'Failed';
  constructor(code: RuntimeError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The container runtime in the CRI's verbs. Implementations: Docker, and a hollow one that only pretends. One suite runs on
 * both. All verbs are idempotent where the CRI's are: stopping what has stopped and removing what is gone succeed.
 * `Unavailable` is thrown while the engine does not answer.
 */
export interface ContainerRuntime {
  version(signal?: AbortSignal): Promise<RuntimeVersion>;
  /** Creates the node's pod network with this subnet, or checks the one that is there. */
  ensureNetwork(podCIDR: string): Promise<void>;
  /** Creates and starts the pause container; returns the sandbox id. `files` are bind-mounted by createContainer as mounts. */
  runPodSandbox(config: SandboxConfig): Promise<string>;
  stopPodSandbox(id: string): Promise<void>;
  removePodSandbox(id: string): Promise<void>;
  listPodSandboxes(filter?: { podUid?: string }): Promise<readonly SandboxStatus[]>;
  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** Stop signal of the image, then SIGKILL after the time. 0 kills at once. */
  stopContainer(id: string, timeoutSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  listContainers(filter?: { podUid?: string }): Promise<readonly ContainerStatus[]>;
  containerStatus(id: string): Promise<ContainerStatus | undefined>;
  /** Resolves with the exit code. */
  exec(id: string, options: ExecOptions): Promise<number>;
  /** Attaches to the main process; resolves when it ends or the streams do. */
  attach(id: string, options: Omit<ExecOptions, 'command'>): Promise<void>;
  /** Writes the log, stdout and stderr interleaved in order of time, as kubectl logs shows it. */
  logs(id: string, options: LogOptions, stdout: Writable): Promise<void>;
  /** A connection to a port inside the sandbox's network namespace (also one that listens on 127.0.0.1 there). */
  portForward(sandboxId: string, port: number): Promise<NodeJS.ReadWriteStream>;
  imageStatus(reference: string): Promise<ImageStatus | undefined>;
  pullImage(
    reference: string,
    auth: { username: string; password: string; server: string } | undefined,
    signal?: AbortSignal,
  ): Promise<ImageStatus>;
  listImages(): Promise<readonly ImageStatus[]>;
  removeImage(reference: string): Promise<void>;
  /** Reads a docker-save or docker-import tar. Returns the references loaded. */
  loadImage(tar: Readable): Promise<readonly string[]>;
  stats(): Promise<readonly ContainerStats[]>;
  /** Events until the signal aborts; ends (throws Unavailable) when the engine goes away. */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
}

import type { Duplex, Readable, Writable } from 'node:stream';

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
  /** Volumes in memory (emptyDir of medium Memory). The sandbox holds them, so they outlive a container's restart. */
  readonly memoryVolumes?: readonly MemoryVolume[];
  /** Kept as labels: given back unchanged by listPodSandboxes. */
  readonly annotations: Readonly<Record<string, string>>;
}
export interface MemoryVolume {
  readonly name: string;
  readonly sizeBytes?: number;
  /** Group that everything in it belongs to. */
  readonly fsGroup?: number;
}
export interface Mount {
  /** A file or folder of the host; a missing one is created as a folder, as the original's runtimes do. */
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
  /** The profile itself, as JSON; the runtime's own without it. */
  readonly seccompProfile?: string;
  /** Name of a loaded profile, `unconfined`, or `runtime/default`; without it the runtime decides. */
  readonly appArmorProfile?: string;
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
  /** Memory volumes of the sandbox, by name. */
  readonly memoryVolumes?: readonly {
    readonly name: string;
    readonly containerPath: string;
    readonly readOnly: boolean;
  }[];
  readonly resources: ContainerResources;
  readonly security: ContainerSecurity;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  /** A running container of the pod whose processes it sees, where the pod's containers do not see each other's anyway. */
  readonly targetId?: string;
  readonly terminationMessagePath: string;
  /** Host file mounted at terminationMessagePath. */
  readonly terminationMessageHostPath: string;
  /** Overrides the image's stop signal, e.g. `SIGINT`. */
  readonly stopSignal?: string;
  /** Kept as labels: given back unchanged by listContainers. */
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
  readonly oomKilled: boolean;
  /** The runtime's own word on why it did not start; the state is then `exited` and it never ran (ContainerCannotRun). */
  readonly error?: string;
  /** What it may use now: CPU and memory. */
  readonly resources?: ContainerResources;
  /** Process id on the host while running. */
  readonly pid?: number;
  readonly annotations: Readonly<Record<string, string>>;
}
/** A container or a sandbox, as far as a list alone tells. */
export interface RuntimeItem {
  readonly id: string;
  readonly pod: PodIdentity;
  /** Name of the container; undefined for a sandbox. */
  readonly container?: string;
}
/** How often a container with a limit of CPU came to its end before the period did. */
export interface CpuThrottling {
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledNanoseconds: number;
}
/** What a container has used. */
export interface UsedResources {
  readonly cpuNanoseconds: number;
  readonly throttling: CpuThrottling;
  readonly memoryUsageBytes: number;
  readonly memoryCacheBytes: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryRssBytes: number;
}
export interface ContainerStats extends UsedResources {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly name: string;
  /** As the pod names it. */
  readonly image: string;
  readonly atMs: number;
  readonly startedAtMs?: number;
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
  /** On abort the command goes on unattended, as when a client of kubectl exec goes away. */
  readonly detachOnAbort?: boolean;
}
export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly sinceMs?: number;
  readonly limitBytes?: number;
  /** Only one of the two streams; both when undefined. */
  readonly stream?: 'stdout' | 'stderr';
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
  /** Removes the node's pod network; nothing may use it any more. */
  removeNetwork(): Promise<void>;
  /**
   * Creates and starts the pause container; returns the sandbox id. The pod's resolv.conf, hosts and hostname files are
   * mounts of the containers. A ready sandbox of the same pod and attempt is returned as it is.
   */
  runPodSandbox(config: SandboxConfig): Promise<string>;
  /** Kills what still runs in it, then the sandbox itself. */
  stopPodSandbox(id: string): Promise<void>;
  /** Removes the sandbox, its containers and its memory volumes. */
  removePodSandbox(id: string): Promise<void>;
  listPodSandboxes(filter?: { podUid?: string }): Promise<readonly SandboxStatus[]>;
  /**
   * A created, never started container of the same name and attempt is replaced; one that has run is a `Conflict`.
   * `ImageNotFound` when the image went away meanwhile.
   */
  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>;
  /** Where a memory volume of a sandbox lies on this host; undefined where this process cannot reach it. */
  memoryVolumePath(podUid: string, volume: string): Promise<string | undefined>;
  /** False where the host refuses privileged containers: they are created with all else that it allows. */
  allowsPrivileged(): Promise<boolean>;
  /** `StartFailed` with the engine's words when the process could not be started; the container is then `exited`. */
  startContainer(id: string): Promise<void>;
  /** Changes what a running container may use of CPU and memory; its process goes on. */
  updateContainer(id: string, resources: ContainerResources): Promise<void>;
  /** Stop signal of the image, then SIGKILL after the time. 0 kills at once. */
  stopContainer(id: string, timeoutSeconds: number): Promise<void>;
  /** Running or not. */
  removeContainer(id: string): Promise<void>;
  /** All that is there of this node, without a question about any single one: one that is stuck does not hide the others. */
  listAll(): Promise<readonly RuntimeItem[]>;
  listContainers(filter?: { podUid?: string }): Promise<readonly ContainerStatus[]>;
  containerStatus(id: string): Promise<ContainerStatus | undefined>;
  /**
   * Resolves with the exit code, after the last byte of output was written (the outputs are ended). A command that cannot be
   * executed says so on its output and exits with 126 or 127. `Conflict` when the container does not run. Abort kills the
   * process where its pid is reachable and rejects with the signal's reason.
   */
  exec(id: string, options: ExecOptions): Promise<number>;
  /** Attaches to the main process; resolves when it ends, or the streams do, or on abort. */
  attach(id: string, options: Omit<ExecOptions, 'command'>): Promise<void>;
  /**
   * Writes the log, stdout and stderr interleaved in order of time, as kubectl logs shows it; timestamps are RFC3339 with
   * nanoseconds. Follows until the container exits or the signal aborts (both normal ends). Does not end `stdout`.
   */
  logs(id: string, options: LogOptions, stdout: Writable): Promise<void>;
  /** A connection to a port inside the sandbox's network namespace (also one that listens on 127.0.0.1 there). */
  portForward(sandboxId: string, port: number): Promise<Duplex>;
  imageStatus(reference: string): Promise<ImageStatus | undefined>;
  pullImage(
    reference: string,
    auth: { username: string; password: string; server: string } | undefined,
    signal?: AbortSignal,
  ): Promise<ImageStatus>;
  listImages(): Promise<readonly ImageStatus[]>;
  removeImage(reference: string): Promise<void>;
  /** Reads a tar as `docker save` writes it. Returns the references (or ids) loaded. */
  loadImage(tar: Readable): Promise<readonly string[]>;
  stats(): Promise<readonly ContainerStats[]>;
  /** Bytes on the disk of a container's own files and its log; what it has mounted does not count. Slow: the engine counts them. */
  containerDiskBytes(id: string): Promise<number>;
  /**
   * Events since the call (not since the first iteration: call, then list, and nothing is missed) until the signal aborts;
   * throws `Unavailable` when the engine goes away.
   */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
  /** Frees connections. Verbs under way may fail. */
  close(): Promise<void>;
}

import type { ContainerCreateOptions, HostConfig, MountSettings } from 'dockerode';

import type { ContainerConfig, MemoryVolume, SandboxConfig } from '../container-runtime.js';
import { containerName, label, podLabels, SANDBOX_CONTAINER, type NodeIdentity } from './docker-label.js';
import { PAUSE_IMAGE } from './pause-image.js';

/** The original's PodInfraOOMAdj: the sandbox is the last to be killed. */
const SANDBOX_OOM_SCORE_ADJ = -998;
/** The original's containerLogMaxSize and containerLogMaxFiles. */
const LOG_CONFIG = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '5' } };

/** What this engine was found to allow. */
export interface EngineLimits {
  /** False where the engine may not lower OOM scores (it lacks CAP_SYS_RESOURCE). */
  readonly allowsNegativeOomScore: boolean;
  /** False where the engine cannot start privileged containers. */
  readonly allowsPrivileged?: boolean;
}

/** The request that creates a sandbox's pause container. */
export function sandboxRequest(
  owner: NodeIdentity,
  config: SandboxConfig,
  network: string,
  limits: EngineLimits,
): ContainerCreateOptions {
  const { pod, attempt, annotations } = config;
  return {
    name: containerName(pod, SANDBOX_CONTAINER, attempt),
    Image: PAUSE_IMAGE,
    Labels: podLabels(owner, pod, { name: SANDBOX_CONTAINER, attempt, annotations }),
    // The pause process ignores all signals but this: a stopping engine must not wait 10 s for each.
    StopSignal: 'SIGKILL',
    ...(config.hostNetwork ? {} : { Hostname: config.hostname }),
    ExposedPorts: Object.fromEntries(config.portMappings.map((port) => [portKey(port), {}])),
    HostConfig: {
      ...LOG_HOST_CONFIG,
      NetworkMode: config.hostNetwork ? 'host' : network,
      IpcMode: config.hostIPC ? 'host' : 'shareable',
      ...(config.hostPID ? { PidMode: 'host' } : {}),
      PortBindings: portBindings(config),
      Sysctls: { ...config.sysctls },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      OomScoreAdj: limits.allowsNegativeOomScore ? SANDBOX_OOM_SCORE_ADJ : 0,
      CpuShares: 2,
      Mounts: (config.memoryVolumes ?? []).map((volume) => memoryVolumeMount(owner, config, volume)),
    },
  };
}

const LOG_HOST_CONFIG = { LogConfig: LOG_CONFIG } satisfies HostConfig;

/** The request that creates a container of a pod inside its sandbox. */
export function containerRequest(
  owner: NodeIdentity,
  sandboxId: string,
  config: ContainerConfig,
  sandbox: SandboxConfig,
  limits: EngineLimits,
): ContainerCreateOptions {
  return {
    name: containerName(sandbox.pod, config.name, config.attempt),
    Image: config.image,
    Labels: {
      ...podLabels(owner, sandbox.pod, config),
      [label.sandbox]: sandboxId,
      [label.image]: config.image,
    },
    Env: config.env.map(({ name, value }) => `${name}=${value}`),
    ...(config.command?.length ? { Entrypoint: [...config.command] } : {}),
    ...(config.args?.length ? { Cmd: [...config.args] } : {}),
    ...(config.workingDir ? { WorkingDir: config.workingDir } : {}),
    ...(config.security.user === undefined ? {} : { User: config.security.user }),
    ...(config.stopSignal === undefined ? {} : { StopSignal: config.stopSignal }),
    Tty: config.tty,
    OpenStdin: config.stdin,
    StdinOnce: config.stdinOnce,
    // The image's own health check is Docker's affair: Kubernetes has probes.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      ...LOG_HOST_CONFIG,
      ...namespaces(sandboxId, sandbox, config.targetId),
      ...resourceLimits(config, limits),
      ...security(config, limits),
      Mounts: [...mounts(owner, config, sandbox), ...(isLimited(config, limits) ? [HOST_DEVICES] : [])],
    },
  };
}

function namespaces(sandboxId: string, sandbox: SandboxConfig, targetId: string | undefined): HostConfig {
  const shared = `container:${sandboxId}`;
  const own = targetId === undefined ? undefined : `container:${targetId}`;
  const pid = sandbox.hostPID ? 'host' : sandbox.shareProcessNamespace ? shared : own;
  return {
    NetworkMode: sandbox.hostNetwork ? 'host' : shared,
    IpcMode: sandbox.hostIPC ? 'host' : shared,
    ...(pid === undefined ? {} : { PidMode: pid }),
  };
}

/** CPU time by quota and period: `--cpus` above the host's count is refused. Memory without swap on top, as in a pod. */
function resourceLimits({ resources }: ContainerConfig, limits: EngineLimits): HostConfig {
  const { cpuShares, cpuQuota, cpuPeriod, memoryLimitBytes, oomScoreAdj, pidsLimit } = resources;
  const score = oomScoreAdj !== undefined && oomScoreAdj < 0 && !limits.allowsNegativeOomScore ? 0 : oomScoreAdj;
  return {
    ...(cpuShares === undefined ? {} : { CpuShares: cpuShares }),
    ...(cpuQuota === undefined ? {} : { CpuQuota: cpuQuota, CpuPeriod: cpuPeriod ?? 100_000 }),
    ...(memoryLimitBytes === undefined ? {} : { Memory: memoryLimitBytes, MemorySwap: memoryLimitBytes }),
    ...(score === undefined ? {} : { OomScoreAdj: score }),
    ...(pidsLimit === undefined ? {} : { PidsLimit: pidsLimit }),
  };
}

const HOST_DEVICES = { Type: 'bind', Source: '/dev', Target: '/dev' } satisfies MountSettings;

const isLimited = ({ security: wanted }: ContainerConfig, limits: EngineLimits): boolean =>
  wanted.privileged && limits.allowsPrivileged === false;

/**
 * Nearly what privileged means, where root itself lacks CAP_SYS_RESOURCE (in a container, say) and so cannot give it away: all
 * other capabilities, all devices, nothing masked; and no profile, unless the container asks for one.
 */
const ALMOST_PRIVILEGED: HostConfig = {
  CapAdd: ['ALL'],
  CapDrop: ['SYS_RESOURCE'],
  DeviceCgroupRules: ['a *:* rwm'],
  MaskedPaths: [],
  ReadonlyPaths: [],
};

/** The engine's own profile by its name. Privileged containers it confines by none, whatever is asked for. */
const profileName = (profile: string): string => (profile === 'runtime/default' ? 'docker-default' : profile);

function security(config: ContainerConfig, limits: EngineLimits): HostConfig {
  const { security: wanted } = config;
  const options = [
    ...(wanted.noNewPrivileges ? ['no-new-privileges'] : []),
    ...(wanted.seccompUnconfined ? ['seccomp=unconfined'] : []),
    ...(wanted.seccompProfile === undefined ? [] : [`seccomp=${wanted.seccompProfile}`]),
    ...(wanted.appArmorProfile === undefined ? [] : [`apparmor=${profileName(wanted.appArmorProfile)}`]),
  ];
  if (isLimited(config, limits)) {
    const { readOnlyRootFilesystem: ReadonlyRootfs, supplementalGroups } = wanted;
    const SecurityOpt = ['seccomp=unconfined', `apparmor=${profileName(wanted.appArmorProfile ?? 'unconfined')}`];
    return { ...ALMOST_PRIVILEGED, SecurityOpt, ReadonlyRootfs, GroupAdd: supplementalGroups.map(String) };
  }
  return {
    Privileged: wanted.privileged,
    ReadonlyRootfs: wanted.readOnlyRootFilesystem,
    CapAdd: [...wanted.addCapabilities],
    CapDrop: [...wanted.dropCapabilities],
    GroupAdd: wanted.supplementalGroups.map(String),
    SecurityOpt: options,
  };
}

function mounts(owner: NodeIdentity, config: ContainerConfig, sandbox: SandboxConfig): MountSettings[] {
  const bound = config.mounts.map(({ hostPath, containerPath, readOnly, propagation }): MountSettings => ({
    Type: 'bind',
    Source: hostPath,
    Target: containerPath,
    ReadOnly: readOnly,
    // Private is the engine's default, and must not be asked for: of `/` and all that holds the engine's own folder it
    // then refuses the mount, whereas on its own it takes rslave.
    ...(propagation === 'private' ? {} : { BindOptions: { Propagation: propagation } }),
  }));
  const termination: MountSettings[] = config.terminationMessageHostPath
    ? [{ Type: 'bind', Source: config.terminationMessageHostPath, Target: config.terminationMessagePath }]
    : [];
  const memory = (config.memoryVolumes ?? []).map((volume) => memoryVolumeMount(owner, sandbox, volume));
  return [...bound, ...memory, ...termination];
}

/** Docker mounts the volume while a container that has it runs: the sandbox has all of them, at a path nobody looks at. */
function memoryVolumeMount(
  owner: NodeIdentity,
  sandbox: SandboxConfig,
  volume: { name: string; containerPath?: string; readOnly?: boolean; sizeBytes?: number },
): MountSettings {
  const declared = sandbox.memoryVolumes?.find(({ name }) => name === volume.name);
  return {
    Type: 'volume',
    Source: memoryVolumeName(sandbox.pod.uid, volume.name),
    Target: volume.containerPath ?? `/memory/${volume.name}`,
    ReadOnly: volume.readOnly ?? false,
    VolumeOptions: {
      NoCopy: true,
      Labels: { [label.cluster]: owner.cluster, [label.node]: owner.node, [label.podUid]: sandbox.pod.uid },
      DriverConfig: { Name: 'local', Options: { type: 'tmpfs', device: 'tmpfs', o: tmpfsOptions(declared) } },
    },
  } as MountSettings;
}

/** Open to every user of the pod, like an emptyDir on disk; with an fsGroup its files belong to the group. */
function tmpfsOptions({ sizeBytes, fsGroup }: Omit<MemoryVolume, 'name'> = {}): string {
  const access = fsGroup === undefined ? 'mode=0777' : `mode=2777,gid=${fsGroup}`;
  return sizeBytes === undefined ? access : `${access},size=${sizeBytes}`;
}

export function memoryVolumeName(podUid: string, volume: string): string {
  return `knarr_${podUid}_${volume}`;
}

const portKey = (port: { containerPort: number; protocol: string }): string =>
  `${port.containerPort}/${port.protocol.toLowerCase()}`;

function portBindings(config: SandboxConfig): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  if (config.hostNetwork) return bindings;
  for (const port of config.portMappings) {
    (bindings[portKey(port)] ??= []).push({ HostIp: port.hostIP, HostPort: String(port.hostPort) });
  }
  return bindings;
}

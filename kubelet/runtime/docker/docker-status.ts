import type { ContainerInfo, ContainerInspectInfo, ImageInspectInfo } from 'dockerode';

import type {
  ContainerResources,
  ContainerState,
  ContainerStatus,
  ImageStatus,
  SandboxStatus,
} from '../container-runtime.js';
import { annotationsOf, label, podOf, SANDBOX_CONTAINER, type Labels } from './docker-label.js';

/** What a list of the engine does not tell about a container. */
export interface ContainerDetail {
  readonly state: ContainerState;
  readonly createdAtMs: number;
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
  readonly exitCode?: number;
  readonly oomKilled: boolean;
  readonly error?: string;
  readonly pid?: number;
  readonly resources?: ContainerResources;
}

export const isSandbox = (labels: Labels): boolean => labels[label.container] === SANDBOX_CONTAINER;

export function sandboxStatus(info: ContainerInfo): SandboxStatus {
  const networks = Object.values(info.NetworkSettings?.Networks ?? {});
  return {
    id: info.Id,
    pod: podOf(info.Labels),
    attempt: Number(info.Labels[label.attempt]),
    state: info.State === 'running' ? 'ready' : 'notReady',
    createdAtMs: info.Created * 1000,
    ips: networks.map(({ IPAddress }) => IPAddress).filter((address) => address !== ''),
    annotations: annotationsOf(info.Labels),
  };
}

export function containerStatus(
  info: { readonly id: string; readonly imageId: string; readonly labels: Labels },
  detail: ContainerDetail,
): ContainerStatus {
  const { labels } = info;
  return {
    id: info.id,
    sandboxId: labels[label.sandbox] ?? '',
    pod: podOf(labels),
    name: labels[label.container] ?? '',
    attempt: Number(labels[label.attempt]),
    image: labels[label.image] ?? info.imageId,
    imageId: info.imageId,
    annotations: annotationsOf(labels),
    ...detail,
  };
}

/**
 * A container that could not be started stays `created` in Docker, with an error: for the kubelet it has exited, as the
 * original saw it (ContainerCannotRun).
 */
export function containerDetail(inspected: ContainerInspectInfo): ContainerDetail {
  const { State: state, Created } = inspected;
  const createdAtMs = Date.parse(Created);
  const startedAtMs = timeOf(state.StartedAt);
  const finishedAtMs = timeOf(state.FinishedAt);
  const oomKilled = state.OOMKilled;
  if (state.Running) {
    const { CpuShares: cpuShares, CpuQuota: cpuQuota, Memory: memoryLimitBytes } = inspected.HostConfig;
    const resources = {
      ...(cpuShares === undefined ? {} : { cpuShares }),
      ...(cpuQuota === undefined ? {} : { cpuQuota }),
      ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    };
    const started = startedAtMs ? { startedAtMs } : {};
    return { state: 'running', createdAtMs, oomKilled: false, pid: state.Pid, resources, ...started };
  }
  if (state.Status === 'created' && state.Error === '' && state.ExitCode === 0) {
    return { state: 'created', createdAtMs, oomKilled };
  }
  return {
    state: 'exited',
    createdAtMs,
    startedAtMs: startedAtMs ?? createdAtMs,
    finishedAtMs: finishedAtMs ?? createdAtMs,
    exitCode: state.ExitCode,
    oomKilled,
    ...(startedAtMs === undefined && state.Error !== '' ? { error: state.Error } : {}),
  };
}

export function imageStatus(image: ImageInspectInfo): ImageStatus {
  return {
    id: image.Id,
    tags: image.RepoTags ?? [],
    digests: image.RepoDigests ?? [],
    sizeBytes: image.Size,
    ...(image.Config?.User ? { user: image.Config.User } : {}),
  };
}

/** Docker's zero time means never. */
function timeOf(text: string): number | undefined {
  return text.startsWith('0001-') || text === '' ? undefined : Date.parse(text);
}

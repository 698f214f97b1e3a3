import type { Node, Pod, Service } from '../../shared/api/generated/types.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import type { KubeletOptions } from '../build.js';
import { ContainerKiller } from '../container/container-killer.js';
import { ContainerStarter } from '../container/container-starter.js';
import { ImageManager } from '../image/image-manager.js';
import { PodFiles } from '../network/pod-files.js';
import { admitPod } from '../node/pod-admission.js';
import { ProbeManager } from '../probe/probe-manager.js';
import { StatusManager } from '../status/status-manager.js';
import { StatusPublisher } from '../status/status-publisher.js';
import { ObjectCache } from '../volume/object-cache.js';
import { PodDirectories } from '../volume/pod-directories.js';
import { TokenManager } from '../volume/token-manager.js';
import { VolumeManager } from '../volume/volume-manager.js';
import { VolumeRefresher } from '../volume/volume-refresher.js';
import { PodKiller } from './pod-killer.js';
import { PodManager } from './pod-manager.js';
import { PodObserver } from './pod-observer.js';
import { PodSyncer } from './pod-syncer.js';
import { PodTerminator } from './pod-terminator.js';
import { PodWorker } from './pod-worker.js';
import type { RuntimeWatcherOptions } from './runtime-watcher.js';

/** What the pods' side asks of the rest of the kubelet. */
export interface PodSurroundings {
  readonly events: EventRecorder;
  /** Aborted when the kubelet stops. */
  readonly signal: AbortSignal;
  readonly services: () => readonly Service[];
  readonly node: () => Node | undefined;
  readonly networkProblem: () => string | undefined;
  readonly enqueue: (uid: string) => void;
}
export interface PodParts {
  readonly manager: PodManager;
  readonly worker: PodWorker;
  readonly directories: PodDirectories;
  readonly watching: Pick<RuntimeWatcherOptions, 'onChange' | 'onRelist'>;
  /** Keeps volumes up to date until aborted. */
  readonly refresh: (signal: AbortSignal) => Promise<void>;
}

/** Puts together everything that has to do with pods. */
export function buildPods(options: KubeletOptions, around: PodSurroundings): PodParts {
  const { client, runtime, clock, log, identity, machine, clusterDomain } = options;
  const { events, enqueue } = around;
  const hostIPs = [identity.ip];
  const directories = new PodDirectories(options.rootDirectory);
  const source = new ObjectCache(client, clock);
  const tokens = new TokenManager(client, clock);
  const allocatable = (): Readonly<Record<string, string>> => around.node()?.status?.allocatable ?? {};
  const volumes = new VolumeManager({ directories, payload: () => ({ source, tokens, allocatable: allocatable() }) });
  const images = new ImageManager({ runtime, clock, events, source });
  const starter = new ContainerStarter({
    runtime,
    clock,
    events,
    images,
    podFiles: new PodFiles(options),
    directories,
    source,
    services: around.services,
    machine: () => ({ allocatable: allocatable(), memoryBytes: machine.memoryBytes }),
  });
  const killer = new ContainerKiller({ runtime, clock, events, log });
  const podKiller = new PodKiller(runtime, killer);
  const observer = new PodObserver(runtime, directories);
  const { random, prober: run } = options;
  const health = new ProbeManager({ clock, run, events, log, hostIP: identity.ip, random, onChange: enqueue });
  const statuses = new StatusManager({ client, clock, log, signal: around.signal });
  const publisher = new StatusPublisher({ clock, health, statuses, hostIPs });
  const syncer = new PodSyncer({
    runtime,
    clock,
    events,
    observer,
    starter,
    killer,
    images,
    volumes,
    source,
    health,
    publisher,
    nodeName: identity.name,
    hostIPs,
    clusterDomain,
  });
  const terminator = new PodTerminator({
    client,
    runtime,
    observer,
    publisher,
    statuses,
    health,
    directories,
    killer: podKiller,
  });
  const manager: PodManager = new PodManager({
    enqueue,
    onPod: (pod) => statuses.observe(pod),
    shorten: (uid, graceSeconds) => {
      podKiller.shorten(uid, graceSeconds).catch((error: unknown) => log.debug('a kill was not shortened', { error }));
    },
  });
  const forget = (uid: string): void => {
    manager.forget(uid);
    syncer.forget(uid);
    images.forget(uid);
    tokens.forget(uid);
    statuses.forget(uid);
  };
  const admitted = (): readonly Pod[] =>
    manager.pods().filter((pod) => manager.get(pod.metadata.uid ?? '')?.isAdmitted === true);
  const worker = new PodWorker({
    clock,
    events,
    gate: {
      admit: (pod) => admitPod(pod, admitted(), around.node()),
      networkProblem: around.networkProblem,
    },
    syncer,
    terminator,
    record: (uid) => manager.get(uid),
    forget,
  });
  const refresher = new VolumeRefresher({
    clock,
    log,
    volumes,
    pods: () => manager.pods(),
    nodeName: identity.name,
    hostIPs,
  });
  return {
    manager,
    worker,
    directories,
    watching: {
      onChange: enqueue,
      onRelist: (sandboxes, containers) => {
        const uids = manager.seen(sandboxes, containers);
        observer.retain(new Set(containers.map((container) => container.id)));
        sweep(directories, manager, uids).catch((error: unknown) => log.warn('old pod directories stay', { error }));
      },
    },
    refresh: (signal) => refresher.run(signal),
  };
}

/** Directories of pods that neither the API nor the runtime knows. */
async function sweep(directories: PodDirectories, manager: PodManager, seen: ReadonlySet<string>): Promise<void> {
  for (const uid of await directories.list()) {
    if (!seen.has(uid) && !manager.get(uid)) await directories.remove(uid);
  }
}

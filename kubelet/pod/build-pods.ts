import type { Node, Pod, Service } from '../../shared/api/generated/types.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import type { KubeletOptions } from '../build.js';
import { ContainerKiller } from '../container/container-killer.js';
import { ContainerStarter } from '../container/container-starter.js';
import { StorageEvictor } from '../eviction/storage-evictor.js';
import { ImageManager } from '../image/image-manager.js';
import { PodFiles } from '../network/pod-files.js';
import { admitPod, resizeRefusal } from '../node/pod-admission.js';
import type { KubeletMetrics } from '../kubelet-metrics.js';
import { ProbeManager } from '../probe/probe-manager.js';
import { ProbeMetrics } from '../probe/probe-metrics.js';
import { StatusManager } from '../status/status-manager.js';
import { StatusPublisher } from '../status/status-publisher.js';
import { ObjectCache } from '../volume/object-cache.js';
import { PodDirectories } from '../volume/pod-directories.js';
import { TokenManager } from '../volume/token-manager.js';
import { VolumeManager, type VolumeManagerOptions } from '../volume/volume-manager.js';
import { VolumeRefresher } from '../volume/volume-refresher.js';
import { PodKiller } from './pod-killer.js';
import { PodManager } from './pod-manager.js';
import { PodObserver } from './pod-observer.js';
import { PodSyncer, type PodSyncerOptions } from './pod-syncer.js';
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
  readonly isRuntimeReady: () => boolean;
  readonly networkProblem: () => string | undefined;
  readonly enqueue: (uid: string) => void;
  readonly metrics: KubeletMetrics;
}
export interface PodParts {
  readonly manager: PodManager;
  readonly worker: PodWorker;
  readonly directories: PodDirectories;
  readonly watching: Pick<RuntimeWatcherOptions, 'onChange' | 'onRelist'>;
  /** Keeps volumes up to date, and within their limits, until aborted. */
  readonly refresh: (signal: AbortSignal) => Promise<void>;
}

/** Puts together everything that has to do with pods. */
export function buildPods(options: KubeletOptions, around: PodSurroundings): PodParts {
  const { clock, log, identity } = options;
  const { events, enqueue, metrics } = around;
  const storage = storageParts(options, around);
  const containers = containerParts(options, around, storage);
  const status = statusParts(options, around);
  const admitted = (): readonly Pod[] =>
    manager.pods().filter((pod) => manager.get(pod.metadata.uid ?? '')?.isAdmitted === true);
  const { syncer, terminator } = flows(options, around, {
    ...storage,
    ...containers,
    ...status,
    resizeRefusal: (pod) => resizeRefusal(pod, admitted(), around.node()),
  });
  const manager: PodManager = new PodManager({
    enqueue,
    onPod: (pod) => {
      metrics.podSeen(pod);
      status.statuses.observe(pod);
    },
    isEcho: (pod) => status.statuses.isOwnWrite(pod),
    shorten: (uid, graceSeconds) => {
      const failed = (error: unknown): void => log.debug('a kill was not shortened', { error });
      containers.podKiller.shorten(uid, graceSeconds).catch(failed);
    },
  });
  const worker = new PodWorker({
    clock,
    log,
    events,
    gate: {
      admit: (pod) => admitPod(pod, admitted(), around.node(), options),
      isRuntimeReady: around.isRuntimeReady,
      networkProblem: around.networkProblem,
    },
    syncer,
    terminator,
    record: (uid) => manager.get(uid),
    forget: (uid) => {
      for (const part of [manager, syncer, containers.images, storage.tokens, status.statuses, metrics])
        part.forget(uid);
    },
  });
  const refresher = new VolumeRefresher({
    clock,
    log,
    volumes: storage.volumes,
    pods: () => manager.pods(),
    nodeName: identity.name,
    hostIPs: [identity.ip],
  });
  const evictor = new StorageEvictor({
    clock,
    log,
    runtime: options.runtime,
    directories: storage.directories,
    pods: () => manager.pods(),
    evict: (pod, message) => evict(manager, pod, message, around),
  });
  return {
    manager,
    worker,
    directories: storage.directories,
    watching: watching(manager, containers.observer, storage.directories, options, around),
    refresh: async (signal) => {
      await Promise.all([refresher.run(signal), evictor.run(signal)]);
    },
  };
}

/** What fills the disk gets no time to go on with it. */
const evictionGraceSeconds = 1;

function evict(manager: PodManager, pod: Pod, message: string, { events, enqueue }: PodSurroundings): void {
  const record = manager.get(pod.metadata.uid ?? '');
  if (!record || record.failure) return;
  record.failure = { reason: 'Evicted', message, isDisruption: true, graceSeconds: evictionGraceSeconds };
  record.interrupt.abort();
  events.event(pod, 'Warning', 'Evicted', message);
  enqueue(record.uid);
}

interface StorageParts {
  readonly directories: PodDirectories;
  readonly source: ObjectCache;
  readonly tokens: TokenManager;
  readonly volumes: VolumeManager;
}

function storageParts({ client, clock, rootDirectory }: KubeletOptions, around: PodSurroundings): StorageParts {
  const directories = new PodDirectories(rootDirectory);
  const source = new ObjectCache(client, clock);
  const tokens = new TokenManager(client, clock);
  const payload = (): ReturnType<VolumeManagerOptions['payload']> => ({
    source,
    tokens,
    allocatable: allocatableOf(around),
  });
  return { directories, source, tokens, volumes: new VolumeManager({ directories, payload }) };
}

const allocatableOf = (around: PodSurroundings): Readonly<Record<string, string>> =>
  around.node()?.status?.allocatable ?? {};

interface ContainerParts {
  readonly images: ImageManager;
  readonly starter: ContainerStarter;
  readonly killer: ContainerKiller;
  readonly podKiller: PodKiller;
  readonly observer: PodObserver;
}

function containerParts(options: KubeletOptions, around: PodSurroundings, storage: StorageParts): ContainerParts {
  const { runtime, clock, log, machine } = options;
  const { events, services } = around;
  const { directories, source } = storage;
  const images = new ImageManager({ runtime, clock, events, source });
  const starter = new ContainerStarter({
    runtime,
    clock,
    events,
    images,
    podFiles: new PodFiles(options),
    directories,
    source,
    services,
    appArmorProfiles: options.appArmorProfiles,
    machine: () => ({ allocatable: allocatableOf(around), memoryBytes: machine.memoryBytes }),
  });
  const killer = new ContainerKiller({ runtime, clock, events, log });
  const observer = new PodObserver(runtime, directories);
  return { images, starter, killer, podKiller: new PodKiller(runtime, killer), observer };
}

interface StatusParts {
  readonly health: ProbeManager;
  readonly statuses: StatusManager;
  readonly publisher: StatusPublisher;
}

function statusParts(options: KubeletOptions, { events, signal, enqueue, metrics }: PodSurroundings): StatusParts {
  const { client, clock, log, identity, random, prober: run } = options;
  const probing = { metrics: new ProbeMetrics(options.probeMetrics), onChange: enqueue };
  const health = new ProbeManager({ clock, run, events, log, hostIP: identity.ip, random, ...probing });
  const statuses = new StatusManager({ client, clock, log, signal });
  const hostIPs = [identity.ip];
  return { health, statuses, publisher: new StatusPublisher({ clock, health, statuses, hostIPs, metrics }) };
}

/** The two things that can be done with a pod: bring it nearer to what it asks for, or to its end. */
function flows(
  options: KubeletOptions,
  { events }: PodSurroundings,
  parts: StorageParts & ContainerParts & StatusParts & Pick<PodSyncerOptions, 'resizeRefusal'>,
): { readonly syncer: PodSyncer; readonly terminator: PodTerminator } {
  const { client, runtime, clock, identity, clusterDomain } = options;
  const { observer, publisher, statuses, health, directories, podKiller } = parts;
  const node = { nodeName: identity.name, hostIPs: [identity.ip], clusterDomain };
  const { starter, killer, images, volumes, source } = parts;
  const common = { runtime, observer, publisher, health };
  return {
    syncer: new PodSyncer({
      ...common,
      resizeRefusal: parts.resizeRefusal,
      ...node,
      clock,
      events,
      starter,
      killer,
      images,
      volumes,
      source,
    }),
    terminator: new PodTerminator({ ...common, client, statuses, directories, killer: podKiller }),
  };
}

function watching(
  manager: PodManager,
  observer: PodObserver,
  directories: PodDirectories,
  { log }: KubeletOptions,
  { enqueue, metrics }: PodSurroundings,
): PodParts['watching'] {
  return {
    onChange: enqueue,
    onRelist: (sandboxes, containers, durationMs) => {
      metrics.relisted(durationMs, sandboxes, containers);
      const uids = manager.seen(sandboxes, containers);
      observer.retain(new Set(containers.map((container) => container.id)));
      sweep(directories, manager, uids).catch((error: unknown) => log.warn('old pod directories stay', { error }));
    },
  };
}

/** Directories of pods that neither the API nor the runtime knows. */
async function sweep(directories: PodDirectories, manager: PodManager, seen: ReadonlySet<string>): Promise<void> {
  for (const uid of await directories.list()) {
    if (!seen.has(uid) && !manager.get(uid)) await directories.remove(uid);
  }
}

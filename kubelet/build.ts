import { nodes, pods, services } from '../shared/api/generated/resources.js';
import type { Node, Pod } from '../shared/api/generated/types.js';
import { createInformer, type SharedInformer } from '../shared/cache/shared-informer.js';
import type { Client } from '../shared/client/client.js';
import type { Clock } from '../shared/clock/clock.js';
import { Controller } from '../shared/controller/controller.js';
import type { Reconcile } from '../shared/controller/reconciler.js';
import { ApiEventRecorder, type EventRecorder } from '../shared/controller/event-recorder.js';
import { Group, task, type Member } from '../shared/lifecycle/group.js';
import type { Log } from '../shared/log/log.js';
import type { MetricsRegistry } from '../shared/metrics/registry.js';
import { KubeletMetrics } from './kubelet-metrics.js';
import type { Machine } from './node/machine.js';
import { NodeLease } from './node/node-lease.js';
import { NodeNetwork } from './node/node-network.js';
import type { NodeIdentity } from './node/node-object.js';
import { NodeRegistrar } from './node/node-registrar.js';
import { RuntimeMonitor } from './node/runtime-monitor.js';
import type { SysctlAllowlist } from './node/sysctl-allowlist.js';
import { buildPods, type PodParts } from './pod/build-pods.js';
import { RuntimeWatcher } from './pod/runtime-watcher.js';
import type { RunProbe } from './probe/probe.js';
import type { ContainerRuntime } from './runtime/container-runtime.js';
import { measuredRuntime } from './runtime/measured-runtime.js';

export interface KubeletOptions {
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsRegistry;
  /** What probes gave, told apart from all else as there is a series for each container. */
  readonly probeMetrics: MetricsRegistry;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly identity: NodeIdentity;
  readonly machine: Machine;
  readonly sysctls: SysctlAllowlist;
  readonly rootDirectory: string;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** Files of the node that pods inherit from. */
  readonly hostResolvConf: string;
  readonly hostHosts: string;
  /** The kernel's list of loaded AppArmor profiles; where it is not to be read, the runtime has to know. */
  readonly appArmorProfiles: string;
  readonly prober: RunProbe;
  /** Serve what others ask of this kubelet; started before, and stopped after, all else. */
  readonly servers?: (kubelet: KubeletView) => readonly Member[];
}

/** What the kubelet's servers may see. */
export interface KubeletView {
  readonly pods: () => readonly Pod[];
  readonly find: (namespace: string, name: string) => Pod | undefined;
  /** Why the node should get no work, if so. */
  readonly problem: () => string | undefined;
}

export interface Kubelet extends KubeletView {
  /** Runs until aborted. What runs in containers goes on. */
  run(signal: AbortSignal): Promise<void>;
}

/** As many pods as may be busy at once: a worker waits through pulls, hooks and grace periods. */
const podWorkers = 256;

/** A worker that waits for a container to end is not waited for: the next start of the kubelet goes on where it was. */
const stopMs = 1_000;

async function abortedFor(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await clock.sleep(delayMs);
}

/** Puts the parts of a kubelet together; nothing happens before run(). */
export function buildKubelet(given: KubeletOptions): Kubelet {
  const metrics = new KubeletMetrics(given.metrics, given.clock, given.identity.name);
  const runtime = measuredRuntime(given.runtime, metrics.operation);
  const options = { ...given, runtime };
  const { client, clock, log, identity } = options;
  const name = identity.name;
  const events = new ApiEventRecorder({ client, clock, log, component: 'kubelet', host: name });
  const informers = nodeInformers(options);
  const stopping = new AbortController();
  const node = buildNode(
    options,
    events,
    () => parts.manager.enqueueAll(),
    () => watcher.problem,
  );
  const controller = podController(options, informers, (uid, signal) => parts.worker.reconcile(uid, signal));
  const parts: PodParts = buildPods(options, {
    events,
    signal: stopping.signal,
    services: () => informers.services.lister.list(),
    node: () => node.registrar.node,
    isRuntimeReady: () => node.monitor.problem === undefined,
    networkProblem: () => node.network.problem,
    enqueue: (uid) => controller.queue.add(uid),
    metrics,
  });
  informers.pods.addHandler(parts.manager.handler());
  informers.node.addHandler(nodeHandler(node.registrar));
  const watcher: RuntimeWatcher = new RuntimeWatcher({ runtime, clock, log, ...parts.watching });
  const view: KubeletView = {
    pods: () => parts.manager.pods(),
    find: (namespace, podName) => parts.manager.find(namespace, podName),
    problem: () => node.monitor.problem ?? watcher.problem ?? node.network.problem,
  };
  const tasks = [
    task('node', (signal) => node.registrar.run(signal)),
    task('runtime-monitor', (signal) => node.monitor.run(signal)),
    task('node-informer', (signal) => informers.node.run(signal)),
    task('service-informer', (signal) => informers.services.run(signal)),
    task('pod-informer', (signal) => informers.pods.run(signal)),
    task('lease', (signal) => node.lease.run(signal)),
    task('runtime-watcher', async (signal) => {
      // Before the API has told which pods there are, every container would look like an orphan.
      // It rejects when we are to stop, which the watcher sees by itself.
      await informers.pods.waitForSync(signal).catch(() => undefined);
      await watcher.run(signal);
    }),
    task('refresh', (signal) => parts.refresh(signal)),
    task('pods', (signal) => Promise.race([controller.run(signal), abortedFor(stopMs, clock, signal)])),
  ];
  const group = new Group().add(
    ...(options.servers?.(view) ?? []),
    { name: 'directories', start: () => parts.directories.ensureRoot(), stop: () => stopping.abort() },
    { name: 'events', start: () => undefined, stop: () => events.stop() },
    ...tasks,
  );
  return { ...view, run: (signal) => group.run(signal) };
}

function podController(options: KubeletOptions, informers: NodeInformers, reconcile: Reconcile): Controller {
  const { clock, log, metrics } = options;
  const rateLimits = { baseDelayMs: 200, maxDelayMs: 30_000 };
  const awaited = [informers.pods, informers.services];
  return new Controller(
    { name: 'pod', workers: podWorkers, informers: awaited, rateLimits, reconcile },
    { clock, log, metrics },
  );
}

interface NodeInformers {
  readonly pods: SharedInformer<Pod>;
  readonly node: SharedInformer<Node>;
  readonly services: ReturnType<typeof serviceInformer>;
}

function nodeInformers({ client, clock, random, log, identity }: KubeletOptions): NodeInformers {
  const deps = { clock, random, log };
  return {
    pods: createInformer(client, pods, { fieldSelector: `spec.nodeName=${identity.name}` }, deps),
    node: createInformer(client, nodes, { fieldSelector: `metadata.name=${identity.name}` }, deps),
    services: serviceInformer(client, deps),
  };
}

const serviceInformer = (client: Client, deps: Parameters<typeof createInformer>[3]) =>
  createInformer(client, services, {}, deps);

interface NodeParts {
  readonly registrar: NodeRegistrar;
  readonly monitor: RuntimeMonitor;
  readonly network: NodeNetwork;
  readonly lease: NodeLease;
}

function buildNode(
  options: KubeletOptions,
  events: EventRecorder,
  enqueueAll: () => void,
  watchProblem: () => string | undefined,
): NodeParts {
  const { client, clock, log, identity, machine, rootDirectory, runtime } = options;
  const network = new NodeNetwork({
    runtime,
    clock,
    log,
    onChange: () => {
      registrar.poke();
      enqueueAll();
    },
  });
  const monitor = new RuntimeMonitor({
    runtime,
    clock,
    log,
    onChange: () => {
      if (monitor.problem === undefined) network.ensure();
      registrar.poke();
      enqueueAll();
    },
  });
  const registrar: NodeRegistrar = new NodeRegistrar({
    client,
    clock,
    log,
    events,
    identity,
    machine,
    rootDirectory,
    runtime,
    monitor,
    network,
    watchProblem,
  });
  const lease = new NodeLease({ client, clock, log, nodeName: identity.name, node: () => registrar.node });
  return { registrar, monitor, network, lease };
}

const nodeHandler = (registrar: NodeRegistrar) => ({
  onAdd: (node: Node) => registrar.observe(node),
  onUpdate: (_previous: Node, node: Node) => registrar.observe(node),
  onDelete: () => registrar.lost(),
});

import {
  namespaces,
  nodes,
  persistentvolumeclaims,
  persistentvolumes,
  poddisruptionbudgets,
  pods,
  storageclasses,
} from '../shared/api/generated/resources.js';
import { DEFAULT_SCHEDULER } from '../shared/api/well-known.js';
import { version } from '../shared/api/version.js';
import { dropManagedFields, InformerFactory } from '../shared/cache/informer-factory.js';
import type { Client } from '../shared/client/client.js';
import { serverConnection } from '../shared/client/connect.js';
import type { Clock } from '../shared/clock/clock.js';
import { ApiEventRecorder } from '../shared/controller/event-recorder.js';
import { LeaderElector } from '../shared/controller/leader-election.js';
import { Group, task } from '../shared/lifecycle/group.js';
import type { Log } from '../shared/log/log.js';
import { HealthServer } from '../shared/metrics/health-server.js';
import { addProcessMetrics } from '../shared/metrics/process-metrics.js';
import type { MetricsRegistry } from '../shared/metrics/registry.js';
import { schedulerMetrics } from './metrics.js';
import { podResourceMetrics } from './pod-resources.js';
import { Scheduler } from './scheduler.js';

export interface SchedulerOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** What the client counts, and this adds to. */
  readonly metrics: MetricsRegistry;
  readonly random: () => number;
  /** Who holds the Lease; never alive twice. */
  readonly identity: string;
  /** 0: any free port; undefined: no health server. */
  readonly healthPort?: number;
  readonly leaderElect: boolean;
}

/** Pods that still need resources. */
const unfinished = 'status.phase!=Succeeded,status.phase!=Failed';

/** Puts the scheduler together; nothing runs before the group does. */
export function build(options: SchedulerOptions): Group {
  const { client, clock, log, metrics: registry, random } = options;
  addProcessMetrics(registry, version);
  const factory = new InformerFactory(client, { clock, log, random, transform: dropManagedFields });
  const namespaceCache = factory.informer(namespaces);
  const podCache = factory.informer(pods, { fieldSelector: unfinished });
  const recorder = new ApiEventRecorder({ client, clock, log, component: DEFAULT_SCHEDULER });
  const scheduler: Scheduler = new Scheduler({
    client,
    clock,
    log,
    random,
    recorder,
    metrics: schedulerMetrics(registry, () => scheduler.counts()),
    pods: podCache,
    nodes: factory.informer(nodes),
    claims: factory.informer(persistentvolumeclaims),
    volumes: factory.informer(persistentvolumes),
    classes: factory.informer(storageclasses),
    budgets: factory.informer(poddisruptionbudgets),
    namespaceLabels: (name) => namespaceCache.lister.get(name)?.metadata.labels,
  });
  const group = new Group();
  if (options.healthPort !== undefined) {
    const health = new HealthServer({
      port: options.healthPort,
      metrics: registry,
      furtherMetrics: { '/metrics/resources': () => podResourceMetrics(podCache.lister.list()) },
      readyz: { 'informer-sync': () => factory.unsynced()[0] },
    });
    group.add(health.asMember('health', (port) => log.info('serves its health', { port })));
  }
  group.add(serverConnection(client, clock, (reason) => log.info('waiting for the API server', { reason })));
  group.add(task('caches', (signal) => factory.run(signal)));
  group.add({ name: 'events', start: () => undefined, stop: () => recorder.stop() });
  group.add(task('scheduling', (signal) => lead(options, scheduler, signal)));
  return group;
}

/** Schedules while this process is the leader; without election at once. */
async function lead(options: SchedulerOptions, scheduler: Scheduler, signal: AbortSignal): Promise<void> {
  if (!options.leaderElect) return scheduler.run(signal);
  const { client, clock, log, random, identity } = options;
  const elector = new LeaderElector({
    client,
    clock,
    log,
    random,
    identity,
    namespace: 'kube-system',
    name: 'kube-scheduler',
  });
  return elector.run(signal, (leading) => scheduler.run(leading));
}

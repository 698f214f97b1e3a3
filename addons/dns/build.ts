import { endpointslices, namespaces, services } from '../../shared/api/generated/resources.js';
import { version } from '../../shared/api/version.js';
import { dropManagedFields, InformerFactory } from '../../shared/cache/informer-factory.js';
import type { Client } from '../../shared/client/client.js';
import type { Clock } from '../../shared/clock/clock.js';
import { Group, task } from '../../shared/lifecycle/group.js';
import type { Log } from '../../shared/log/log.js';
import { HealthServer } from '../../shared/metrics/health-server.js';
import { addProcessMetrics } from '../../shared/metrics/process-metrics.js';
import { MetricsRegistry } from '../../shared/metrics/registry.js';
import {
  addressesOfSlice,
  addressOfService,
  byAddress,
  byService,
  ClusterSource,
  serviceOfSlice,
} from './cluster-source.js';
import { Resolver } from './resolver.js';
import { type AnswerMessage, TcpServer, UdpServer } from './servers.js';
import { Upstream } from './upstream.js';
import { Zone } from './zone.js';

export interface DnsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly domain: string;
  readonly host: string;
  readonly port: number;
  readonly healthPort: number;
  readonly metricsPort: number;
  /** Resolvers for names that are not the cluster's. */
  readonly resolvers: () => readonly string[];
  /** How long questions are still answered after the pod was told to end: until nobody sends any more. */
  readonly lameDuckMs: number;
}

/** Puts the server together; nothing runs before the group does. */
export function build(options: DnsOptions): Group {
  const { client, clock, log, random, host, port } = options;
  const registry = new MetricsRegistry();
  addProcessMetrics(registry, version);
  const answered = registry.counter({
    name: 'knarr_dns_responses_total',
    help: 'Answers by response code and origin.',
    labels: ['rcode', 'source'],
  });
  const factory = new InformerFactory(client, { clock, log, random, transform: dropManagedFields });
  const source = new ClusterSource(options.domain, {
    services: factory.informer(services, { indexes: { [byAddress]: addressOfService } }),
    slices: factory.informer(endpointslices, {
      indexes: { [byService]: serviceOfSlice, [byAddress]: addressesOfSlice },
    }),
    namespaces: factory.informer(namespaces),
  });
  const resolver = new Resolver({
    zone: new Zone(source),
    upstream: new Upstream({ clock, servers: () => options.resolvers().filter((address) => !source.isOwn(address)) }),
    generation: () => source.generation,
    random,
    isReady: () => factory.unsynced().length === 0,
    onError: (error) => log.warn('question not answered', { error: String(error) }),
    onAnswer: (code, from) => answered.inc([String(code), from]),
  });
  let isEnding = false;
  const answer: AnswerMessage = (bytes, isUdp) => resolver.answer(bytes, isUdp);
  const [udp, tcp] = [new UdpServer(answer), new TcpServer(answer)];
  const readyz = { 'informer-sync': () => factory.unsynced()[0], ending: () => (isEnding ? 'told to end' : undefined) };
  const health = new HealthServer({ port: options.healthPort, host, metrics: registry, readyz });
  const metrics = new HealthServer({ port: options.metricsPort, host, metrics: registry });
  return new Group()
    .add(health.asMember('health', (served) => log.info('serves its health', { port: served })))
    .add(metrics.asMember('metrics', (served) => log.info('serves its metrics', { port: served })))
    .add({ name: 'connection', start: () => undefined, stop: () => client.close() })
    .add(task('caches', (signal) => factory.run(signal)))
    .add({
      name: 'udp',
      start: async () => log.info('answers over UDP', { port: await udp.start(port, host) }),
      stop: () => udp.stop(),
    })
    .add({
      name: 'tcp',
      start: async () => log.info('answers over TCP', { port: await tcp.start(port, host) }),
      stop: () => tcp.stop(),
    })
    .add({
      name: 'lame duck',
      start: () => undefined,
      stop: () => {
        isEnding = true;
        return clock.sleep(options.lameDuckMs);
      },
    });
}

import { readFileSync, writeFileSync } from 'node:fs';
import { endpointslices, nodes, servicecidrs, services } from '../shared/api/generated/resources.js';
import { version } from '../shared/api/version.js';
import { dropManagedFields, InformerFactory } from '../shared/cache/informer-factory.js';
import type { Client } from '../shared/client/client.js';
import { serverConnection } from '../shared/client/connect.js';
import type { Clock } from '../shared/clock/clock.js';
import { Group, task } from '../shared/lifecycle/group.js';
import type { Log } from '../shared/log/log.js';
import { HealthServer } from '../shared/metrics/health-server.js';
import { addProcessMetrics } from '../shared/metrics/process-metrics.js';
import type { MetricsRegistry } from '../shared/metrics/registry.js';
import { removeAccepts } from './docker-accepts.js';
import type { Execute } from './execute.js';
import { syncRoutes } from './host-routes.js';
import { parseListening } from './listening-ports.js';
import { proxyMetrics } from './metrics.js';
import { removeRules } from './nft-writer.js';
import { byService, Proxy, serviceOfSlice } from './proxy.js';

export interface ProxyOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly execute: Execute;
  /** What the client counts, and this adds to. */
  readonly metrics: MetricsRegistry;
  readonly nodeName: string;
  readonly clusterCIDR: string;
  /** 0: any free port; undefined: no health server. */
  readonly healthPort?: number;
}

/** Puts the proxy together; nothing runs before the group does. */
export function build(options: ProxyOptions): Group {
  const { client, clock, log, random, execute, metrics: registry, nodeName, clusterCIDR } = options;
  addProcessMetrics(registry, version);
  const factory = new InformerFactory(client, { clock, log, random, transform: dropManagedFields });
  const proxy = new Proxy({
    client,
    clock,
    log,
    execute,
    nodeName,
    clusterCIDR,
    metrics: proxyMetrics(registry, clock),
    enableBridgeNetfilter: () => enableKernelSettings(log),
    listeningPorts,
    services: factory.informer(services),
    slices: factory.informer(endpointslices, { indexes: { [byService]: serviceOfSlice } }),
    nodes: factory.informer(nodes),
    serviceCIDRs: factory.informer(servicecidrs),
  });
  const group = new Group();
  if (options.healthPort !== undefined) {
    const health = new HealthServer({
      port: options.healthPort,
      metrics: registry,
      readyz: { 'informer-sync': () => factory.unsynced()[0], rules: () => proxy.unreadyReason() },
    });
    group.add(health.asMember('health', (port) => log.info('serves its health', { port })));
  }
  group.add(serverConnection(client, clock, (reason) => log.info('waiting for the API server', { reason })));
  group.add(task('caches', (signal) => factory.run(signal)));
  group.add(task('proxying', (signal) => proxy.run(signal)));
  return group;
}

/** Undoes on this host what any proxy of the cluster did. */
export async function cleanUp(execute: Execute, clusterCIDR: string): Promise<void> {
  await removeRules(execute);
  await syncRoutes(execute, []);
  await removeAccepts(execute, clusterCIDR);
}

/** Forwarding, and netfilter's view of bridged packets; false when the kernel has no such view here. */
function enableKernelSettings(log: Log): boolean {
  const set = (path: string): boolean => {
    try {
      if (readFileSync(path, 'utf8').trim() !== '1') writeFileSync(path, '1');
      return true;
    } catch (error) {
      log.warn('a kernel setting is not to be had', { path, error });
      return false;
    }
  };
  set('/proc/sys/net/ipv4/ip_forward');
  return set('/proc/sys/net/bridge/bridge-nf-call-iptables');
}

function listeningPorts(address: string): ReadonlySet<string> {
  const files = [
    ['tcp', 'tcp'],
    ['tcp6', 'tcp'],
    ['udp', 'udp'],
    ['udp6', 'udp'],
  ] as const;
  return new Set(
    files.flatMap(([file, protocol]) => parseListening(readFileSync(`/proc/net/${file}`, 'utf8'), protocol, address)),
  );
}

import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { clientFromKubeconfig } from '../shared/client/connect.js';
import { followKubeconfig } from '../shared/client/kubeconfig-follower.js';
import { ReplaceableClient } from '../shared/client/replaceable-client.js';
import { systemClock } from '../shared/clock/clock.js';
import { task } from '../shared/lifecycle/group.js';
import { clientMetrics } from '../shared/controller/client-metrics.js';
import { runProcess } from '../shared/lifecycle/process.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import { createLog } from '../shared/log/log.js';
import { build, cleanUp } from './build.js';
import { systemExecute } from './execute.js';
import { waitForKubeconfig } from './kubeconfig-wait.js';

interface Flags {
  kubeconfig: string;
  nodeName: string;
  healthPort: number;
  clusterCidr: string;
  cleanup: boolean;
}

const port = (text: string): number => Number.parseInt(text, 10);
const flags = new Command('kube-proxy')
  .description("Makes Services reachable from this host: writes the kernel's rules and routes.")
  .requiredOption('--kubeconfig <file>', 'credentials for the API server')
  .requiredOption('--node-name <name>', 'the node that this process serves')
  .option('--health-port <port>', 'loopback port of /healthz, /readyz and /metrics', port, 10_256)
  .option('--cluster-cidr <cidr>', 'addresses of all pods', '10.244.0.0/16')
  .option('--cleanup', 'remove rules, routes and accepts of this host, then exit', false)
  .parse()
  .opts<Flags>();

await runProcess(async (signal) => {
  if (flags.cleanup) return cleanUp(systemExecute, flags.clusterCidr);
  const log = createLog({ component: 'kube-proxy' });
  await waitForKubeconfig(flags.kubeconfig, { clock: systemClock, log, signal });
  const path = flags.kubeconfig;
  const metrics = new MetricsRegistry();
  const access = { clock: systemClock, userAgent: 'knarr-kube-proxy', onAnswer: clientMetrics(metrics) };
  const connect = (): ReturnType<typeof clientFromKubeconfig> => clientFromKubeconfig(path, access);
  const text = await readFile(path, 'utf8');
  const client = new ReplaceableClient(await connect());
  // The certificate in it is the kubelet's to renew.
  const onReload = (): void => log.info('connected with renewed credentials', { path });
  const onProblem = (error: unknown): void => log.warn('the kubeconfig cannot be used', { path, error });
  const following = { path, text, client, connect, clock: systemClock, onReload, onProblem };
  const { nodeName, healthPort, clusterCidr: clusterCIDR } = flags;
  const group = build({
    client,
    clock: systemClock,
    log,
    random: Math.random,
    execute: systemExecute,
    metrics,
    nodeName,
    healthPort,
    clusterCIDR,
  });
  await group.add(task('credentials', (stop) => followKubeconfig(following, stop))).run(signal);
});

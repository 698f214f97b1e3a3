import { Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { clientFromKubeconfig } from '../shared/client/connect.js';
import { systemClock } from '../shared/clock/clock.js';
import { clientMetrics } from '../shared/controller/client-metrics.js';
import { runProcess } from '../shared/lifecycle/process.js';
import { createLog } from '../shared/log/log.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import { build } from './build.js';

interface Flags {
  kubeconfig: string;
  healthPort: number;
  leaderElect: boolean;
  leaderElectIdentity?: string;
}

const port = (text: string): number => Number.parseInt(text, 10);
const flags = new Command('scheduler')
  .description('Gives each pod a node.')
  .requiredOption('--kubeconfig <file>', 'credentials for the API server')
  .option('--health-port <port>', 'loopback port of /healthz, /readyz and /metrics', port, 10_259)
  .option('--leader-elect', 'schedule only while holding the Lease kube-system/kube-scheduler', true)
  .option('--no-leader-elect', 'schedule without holding the Lease')
  .option(
    '--leader-elect-identity <name>',
    'holder of the Lease; one that stays the same lets a restarted process go on at once, and must never be alive twice',
  )
  .parse()
  .opts<Flags>();

// As in the API server, whose main.ts tells why. A scheduler that starts finds thousands of pods waiting.
setFlagsFromString('--interrupt-budget=40000');
setFlagsFromString('--no-parallel-scavenge');

await runProcess(async (signal) => {
  const log = createLog({ component: 'scheduler' });
  const metrics = new MetricsRegistry();
  const access = { clock: systemClock, userAgent: 'knarr-scheduler', onAnswer: clientMetrics(metrics) };
  const client = await clientFromKubeconfig(flags.kubeconfig, access);
  const identity = flags.leaderElectIdentity ?? `${hostname()}_${randomUUID()}`;
  await build({
    client,
    clock: systemClock,
    log,
    metrics,
    random: Math.random,
    identity,
    healthPort: flags.healthPort,
    leaderElect: flags.leaderElect,
  }).run(signal);
});

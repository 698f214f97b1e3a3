import { Command, InvalidArgumentError } from 'commander';
import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { clientFromAccess, clientFromKubeconfig } from '../../shared/client/connect.js';
import { inClusterAccess } from '../../shared/client/kubeconfig.js';
import { systemClock } from '../../shared/clock/clock.js';
import { runProcess } from '../../shared/lifecycle/process.js';
import { createLog } from '../../shared/log/log.js';
import { build } from './build.js';
import { parseResolvers } from './upstream.js';

interface Flags {
  domain: string;
  host: string;
  port: number;
  healthPort: number;
  metricsPort: number;
  lameDuck: number;
  kubeconfig?: string;
}

function port(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65_535) throw new InvalidArgumentError(`${text} is not a port.`);
  return number;
}

function seconds(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`${text} is not a number of seconds.`);
  return Number(text);
}

const flags = new Command('dns')
  .description("Answers for the cluster's Services; asks others for the rest.")
  .option('--domain <domain>', 'domain of the cluster', 'cluster.local')
  .option('--host <address>', 'address to listen on', '0.0.0.0')
  .option('--port <port>', 'port for UDP and TCP', port, 53)
  .option('--health-port <port>', 'port of /livez and /readyz', port, 8181)
  .option('--metrics-port <port>', 'port of /metrics', port, 9153)
  .option('--lame-duck <seconds>', 'how long it still answers after it has been told to stop', seconds, 5)
  .option('--kubeconfig <file>', 'credentials outside a pod; inside, those of the ServiceAccount')
  .parse()
  .opts<Flags>();

const resolvConf = '/etc/resolv.conf';
const resolverLifeMs = 5_000;

/** The resolvers of /etc/resolv.conf, read again every few seconds. */
function resolvers(): () => readonly string[] {
  let found: readonly string[] = [];
  let readMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (systemClock.monotonic() - readMs < resolverLifeMs) return found;
    readMs = systemClock.monotonic();
    const own = new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((a) => a.address)));
    // A pod without the file has no upstream; one that is being replaced keeps what was read last.
    if (existsSync(resolvConf)) found = parseResolvers(readFileSync(resolvConf, 'utf8'), own);
    return found;
  };
}

await runProcess(async (signal) => {
  const log = createLog({ component: 'dns' });
  const options = { clock: systemClock, userAgent: 'knarr-dns' };
  const client = flags.kubeconfig
    ? await clientFromKubeconfig(flags.kubeconfig, options)
    : clientFromAccess(await inClusterAccess(process.env), options);
  const { domain, host, healthPort, metricsPort } = flags;
  const group = build({
    client,
    clock: systemClock,
    log,
    random: Math.random,
    domain,
    host,
    port: flags.port,
    healthPort,
    metricsPort,
    resolvers: resolvers(),
    lameDuckMs: flags.lameDuck * 1_000,
  });
  await group.run(signal);
});

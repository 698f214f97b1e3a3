import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { loadKubeconfig, resolveContext } from '../shared/client/kubeconfig.js';
import { systemClock } from '../shared/clock/clock.js';
import { runProcess } from '../shared/lifecycle/process.js';
import { createLog, type LogLevel } from '../shared/log/log.js';
import { build } from './build.js';
import { controllers } from './controllers.js';

interface Flags {
  kubeconfig: string;
  healthPort: number;
  leaderElect: boolean;
  leaderElectIdentity?: string;
  useServiceAccountCredentials: boolean;
  clusterCidr: string;
  nodeCidrMaskSize: number;
  clusterSigningCertFile?: string;
  clusterSigningKeyFile?: string;
  rootCaFile?: string;
  terminatedPodGcThreshold: number;
  nodeMonitorPeriod: number;
  nodeMonitorGracePeriod: number;
  logLevel: LogLevel;
}

const wholeNumber = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number.');
  return Number(text);
};

function parseFlags(argv: readonly string[]): Flags {
  return (
    new Command('controller-manager')
      .description('Brings the objects of the cluster to the state that they ask for.')
      .requiredOption('--kubeconfig <file>', 'how to reach the API server, and as whom')
      .option('--health-port <port>', 'loopback port of /healthz, /readyz and /metrics', wholeNumber, 10257)
      .option('--leader-elect', 'work only while holding the Lease kube-system/kube-controller-manager', true)
      .option('--no-leader-elect', 'work without a Lease')
      .option(
        '--leader-elect-identity <name>',
        'holder of the Lease; one that stays the same lets a restarted process go on at once, and must never be alive twice',
      )
      .option('--use-service-account-credentials', 'run every controller under its own account in kube-system', true)
      .option('--no-use-service-account-credentials', 'run all under the identity of the kubeconfig')
      .option('--cluster-cidr <cidr>', 'range of the pod addresses', '10.244.0.0/16')
      .option('--node-cidr-mask-size <bits>', "size of each node's part of it", wholeNumber, 24)
      .option('--cluster-signing-cert-file <file>', 'authority that signs certificates of nodes')
      .option('--cluster-signing-key-file <file>', 'its key')
      .option('--root-ca-file <file>', 'authority published as kube-root-ca.crt in every namespace')
      // Tokens are issued through TokenRequest by the API server, which holds the key; the flag is accepted as in the original.
      .option('--service-account-private-key-file <file>', 'accepted for compatibility, not read')
      .option('--terminated-pod-gc-threshold <count>', 'finished pods beyond it are deleted', wholeNumber, 12500)
      .option('--node-monitor-period <seconds>', 'pause between two looks at the nodes', wholeNumber, 5)
      .option('--node-monitor-grace-period <seconds>', 'a node silent for longer is not ready', wholeNumber, 40)
      .option('--log-level <level>', 'debug, info, warn, error or silent', 'info')
      .parse(argv)
      .opts<Flags>()
  );
}

async function main(flags: Flags, signal: AbortSignal): Promise<void> {
  const config = await loadKubeconfig(flags.kubeconfig);
  const access = await resolveContext(config, flags.kubeconfig);
  const { clusterSigningCertFile: certFile, clusterSigningKeyFile: keyFile } = flags;
  if (!certFile !== !keyFile)
    throw new Error('--cluster-signing-cert-file and --cluster-signing-key-file belong together');
  const signer =
    certFile && keyFile ? { certificate: await readText(certFile), key: await readText(keyFile) } : undefined;
  const rootCa = flags.rootCaFile ? await readText(flags.rootCaFile) : undefined;
  const group = build({
    access,
    controllers,
    clock: systemClock,
    random: Math.random,
    log: createLog({ component: 'controller-manager', level: flags.logLevel }),
    identity: flags.leaderElectIdentity ?? `${hostname()}_${randomUUID()}`,
    leaderElect: flags.leaderElect,
    useServiceAccounts: flags.useServiceAccountCredentials,
    healthPort: flags.healthPort,
    clusterCidr: flags.clusterCidr,
    nodeCidrMaskSize: flags.nodeCidrMaskSize,
    ...(signer ? { signer } : {}),
    ...(rootCa === undefined ? {} : { rootCa }),
    terminatedPodThreshold: flags.terminatedPodGcThreshold,
    nodeMonitorPeriodMs: flags.nodeMonitorPeriod * 1000,
    nodeMonitorGraceMs: flags.nodeMonitorGracePeriod * 1000,
  });
  await group.run(signal);
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`cannot read ${path}: ${error.code ?? error.message}`, { cause: error });
  });
}

const flags = parseFlags(process.argv);
await runProcess((signal) => main(flags, signal));

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import { systemClock } from '../shared/clock/clock.js';
import { loadOrCreateConfig } from '../shared/encryption/key-file.js';
import { runProcess } from '../shared/lifecycle/process.js';
import { createLog, type Log } from '../shared/log/log.js';
import type { MetricsRegistry } from '../shared/metrics/registry.js';
import { startApiserver, type ApiserverOptions } from './build.js';
import type { FlagDefinition } from './flag-values.js';
import { identityFlags, loadIdentityProviders, type IdentityFlags } from './identity-flags.js';
import { definitions } from './kinds/index.js';
import { loadSchemas } from './schema/schemas.js';
import { directorySize } from './storage/directory-size.js';
import { EncryptedStorage } from './storage/encrypted-storage.js';
import { EncryptionReloader, rulesOf } from './storage/encryption-config.js';
import { LevelStorage } from './storage/level-storage.js';
import type { Storage } from './storage/storage.js';
import { readServing, servingFlags, type ServingFlags } from './serving-flags.js';
import { httpProbe } from './subresources/component-statuses.js';

interface Flags extends IdentityFlags, ServingFlags {
  stateDir: string;
  bindAddress: string;
  securePort: number;
  advertiseAddress: string;
  clientCaFile: string;
  tlsCertFile: string;
  tlsPrivateKeyFile: string;
  serviceAccountKeyFile: string;
  serviceAccountIssuer: string;
  encryptionKeyFile?: string;
  kubeletClientCertificate?: string;
  kubeletClientKey?: string;
  serviceClusterIpRange: string;
  disableAdmissionPlugins: string[];
  enableAdmissionPlugins: string[];
  serviceNodePortRange: { first: number; last: number };
  proxyClientCertFile?: string;
  proxyClientKeyFile?: string;
  requestheaderClientCaFile?: string;
  requestheaderAllowedNames: string[];
  maxRequestsInflight: number;
  maxMutatingRequestsInflight: number;
}

// V8's helpers share the processors with clients: waiting for one that has lost its turn stops everybody for up to 0.3 s.
setFlagsFromString('--no-parallel-scavenge');
// After how much bytecode a function is compiled: V8's own 132 KB leave the first thousands of writes to slow code.
setFlagsFromString('--interrupt-budget=40000');

// What this process writes (the database, audit logs) holds what others must not read; LevelDB sets no modes of its own.
process.umask(0o077);

const read = (file: string): string => readFileSync(file, 'utf8');

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`${text} is not a port`);
  return port;
}

function count(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new Error(`${text} is not a count`);
  return Number(text);
}

function portRange(text: string): { first: number; last: number } {
  const [first = '', last = ''] = text.split('-');
  const range = { first: portNumber(first), last: portNumber(last) };
  if (range.first < 1 || range.last < range.first) throw new Error(`${text} is not a range of ports`);
  return range;
}

const command = new Command('apiserver')
  .description('Serves the Kubernetes API over the store.')
  .requiredOption('--state-dir <dir>', 'where the store is kept, in its folder db')
  .option('--bind-address <ip>', 'address to listen on', '0.0.0.0')
  .option('--secure-port <port>', 'port of HTTPS', portNumber, 6443)
  .requiredOption('--advertise-address <ip>', 'address at which pods and other hosts reach this server')
  .requiredOption('--client-ca-file <file>', 'authority of client certificates, and of the kubelets')
  .requiredOption('--tls-cert-file <file>', 'certificate of this server')
  .requiredOption('--tls-private-key-file <file>', 'its key')
  .requiredOption('--service-account-key-file <file>', 'P-256 key that signs ServiceAccount tokens')
  .option('--service-account-issuer <url>', 'issuer of the tokens', 'https://kubernetes.default.svc.cluster.local')
  .option(
    '--encryption-key-file <file>',
    'keys that encrypt Secrets at rest; made when absent, followed while the server runs',
  )
  .option('--kubelet-client-certificate <file>', 'certificate with which kubelets are called')
  .option('--kubelet-client-key <file>', 'its key')
  .option('--proxy-client-cert-file <file>', 'certificate with which extension servers are called')
  .option('--proxy-client-key-file <file>', 'its key')
  .option('--requestheader-client-ca-file <file>', 'authority of that certificate; it signs nothing else')
  .option(
    '--requestheader-allowed-names <names>',
    'common names that may speak for others',
    (text) => text.split(','),
    ['front-proxy-client'],
  )
  .option('--service-cluster-ip-range <cidr>', 'addresses of Services', '10.96.0.0/16')
  .option('--service-node-port-range <range>', 'ports of Services on nodes', portRange, { first: 30_000, last: 32_767 })
  .option('--max-requests-inflight <count>', 'with the next one: requests that are answered at once', count, 400)
  .option('--max-mutating-requests-inflight <count>', 'their sum is divided among the priority levels', count, 200)
  .option('--disable-admission-plugins <names>', 'admission plugins that are off', (text) => text.split(','), [])
  .option(
    '--enable-admission-plugins <names>',
    'admission plugins that are on besides those that always are',
    (text) => text.split(','),
    [],
  );
const further: readonly FlagDefinition[] = [...identityFlags, ...servingFlags];
for (const { flags: names, description, parse, default: value } of further) {
  if (parse) command.option(names, description, parse, value);
  else command.option(names, description, value as string | undefined);
}
const flags = command.parse().opts<Flags>();

function frontProxy(): Pick<ApiserverOptions, 'frontProxy'> {
  const { proxyClientCertFile, proxyClientKeyFile, requestheaderClientCaFile, requestheaderAllowedNames } = flags;
  if (!proxyClientCertFile || !proxyClientKeyFile || !requestheaderClientCaFile) return {};
  return {
    frontProxy: {
      client: { certificate: read(proxyClientCertFile), key: read(proxyClientKeyFile) },
      ca: read(requestheaderClientCaFile),
      allowedNames: requestheaderAllowedNames,
    },
  };
}

/** Costs a start some milliseconds: only where there is a file. */
async function admissionConfiguration(): Promise<Pick<ApiserverOptions, 'admissionConfiguration'>> {
  const { admissionControlConfigFile: file } = flags;
  if (file === undefined) return {};
  const { loadAdmissionConfiguration } = await import('./admission/configuration/admission-configuration.js');
  return { admissionConfiguration: await loadAdmissionConfiguration(file, systemClock) };
}

/** A file that counts again whenever it changes. */
interface FollowedFile {
  start(): void;
  stop(): Promise<void>;
  addMetrics(metrics: MetricsRegistry): void;
}

interface Encryption {
  readonly storage: Storage;
  /** Absent: nothing is encrypted. */
  readonly encryption?: EncryptionReloader;
}

function openEncryption(level: LevelStorage, path: string | undefined, log: Log): Encryption {
  if (path === undefined) return { storage: level };
  const config = loadOrCreateConfig(path);
  const storage = new EncryptedStorage(level, rulesOf(config));
  return { storage, encryption: new EncryptionReloader({ path, storage, config, clock: systemClock, log }) };
}

function addStorageSize(metrics: MetricsRegistry): void {
  const size = metrics.gauge({
    name: 'apiserver_storage_size_bytes',
    help: 'Size of the storage database file physically allocated in bytes.',
    labels: ['storage_cluster_id'],
  });
  metrics.onCollect(() => size.set(directorySize(join(flags.stateDir, 'db')), ['etcd-0']));
}

await runProcess(async (signal) => {
  const log = createLog({ component: 'apiserver' });
  const clock = systemClock;
  const level = await LevelStorage.open({ directory: join(flags.stateDir, 'db'), clock, log });
  const { storage, encryption } = openEncryption(level, flags.encryptionKeyFile, log);
  const followed: FollowedFile[] = encryption ? [encryption] : [];
  try {
    const given = { clock, log, ownIssuer: flags.serviceAccountIssuer, serverId: `apiserver-${hostname()}` };
    const { followed: configured, ...identity } = await loadIdentityProviders(flags, given);
    followed.push(...configured);
    const server = await startApiserver({
      ...identity,
      ...frontProxy(),
      serving: readServing(flags),
      ...(await admissionConfiguration()),
      storage,
      definitions,
      schemas: loadSchemas(),
      clock,
      log,
      newUid: randomUUID,
      random: Math.random,
      tls: {
        certificate: read(flags.tlsCertFile),
        key: read(flags.tlsPrivateKeyFile),
        clientCa: read(flags.clientCaFile),
      },
      bindAddress: flags.bindAddress,
      securePort: flags.securePort,
      advertiseAddress: flags.advertiseAddress,
      serviceAccountKey: read(flags.serviceAccountKeyFile),
      serviceAccountIssuer: flags.serviceAccountIssuer,
      ...(flags.kubeletClientCertificate && flags.kubeletClientKey
        ? {
            kubeletClient: {
              certificate: read(flags.kubeletClientCertificate),
              key: read(flags.kubeletClientKey),
            },
          }
        : {}),
      serviceClusterIpRange: flags.serviceClusterIpRange,
      nodePorts: flags.serviceNodePortRange,
      components: [
        httpProbe('scheduler', 'http://127.0.0.1:10259/healthz'),
        httpProbe('controller-manager', 'http://127.0.0.1:10257/healthz'),
      ],
      serverSeats: Math.max(1, flags.maxRequestsInflight + flags.maxMutatingRequestsInflight),
      disabledAdmission: flags.disableAdmissionPlugins,
      addMetrics: (metrics) => {
        followed.forEach((one) => one.addMetrics(metrics));
        addStorageSize(metrics);
      },
      enabledAdmission: flags.enableAdmissionPlugins,
    });
    for (const one of followed) one.start();
    log.info('serving', { port: server.port, startedInMs: Math.round(performance.now()) });
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await server.stop();
  } finally {
    await Promise.all(followed.map((one) => one.stop()));
    await storage.close();
  }
});

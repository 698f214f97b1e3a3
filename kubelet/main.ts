import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { version } from '../shared/api/version.js';
import { clientFromKubeconfig, waitForServer } from '../shared/client/connect.js';
import { systemClock } from '../shared/clock/clock.js';
import { clientMetrics } from '../shared/controller/client-metrics.js';
import { Group, task, type Member } from '../shared/lifecycle/group.js';
import { runProcess } from '../shared/lifecycle/process.js';
import { createLog, type Log } from '../shared/log/log.js';
import { HealthServer } from '../shared/metrics/health-server.js';
import { addProcessMetrics } from '../shared/metrics/process-metrics.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import { ensureNodeKubeconfig, renewNodeKubeconfig } from './bootstrap/node-kubeconfig.js';
import { ReplaceableClient } from '../shared/client/replaceable-client.js';
import { ServingCertificate } from './bootstrap/serving-certificate.js';
import { buildKubelet, type Kubelet, type KubeletView } from './build.js';
import { cleanUpNode, cleanUpRequestMs, stopPods } from './node/clean-up.js';
import { killContainerProcesses } from './node/container-processes.js';
import { readMachine } from './node/machine.js';
import type { NodeIdentity } from './node/node-object.js';
import { readFlags, type Flags } from './options.js';
import { createProber } from './probe/probe.js';
import { DockerRuntime } from './runtime/docker/docker-runtime.js';
import { createClientAccess, type ClientAccess } from './streaming/client-access.js';
import { createKubeletServer, type KubeletServer } from './streaming/kubelet-server.js';

const clock = systemClock;
const flags = readFlags();

await runProcess(async (signal) => {
  const log = createLog({ component: 'kubelet' });
  const rootDirectory = resolve(flags.rootDir);
  await mkdir(rootDirectory, { recursive: true, mode: 0o700 });
  const { clusterName: cluster, nodeName: node, dockerHost: host } = flags;
  const limit = flags.cleanup ? { requestTimeoutMs: cleanUpRequestMs } : {};
  const runtime = new DockerRuntime({ cluster, node, host, clock, log, ...limit });
  if (flags.cleanup) await cleanUpNode({ runtime, rootDirectory, clock, killProcesses: killContainerProcesses });
  else if (flags.stopPods) await stopPods(runtime);
  else await serve(flags, { rootDirectory, runtime, log }, signal);
});
// Requests to the engine that wait for a container's end would hold the process for a whole grace period.
process.exit();

interface Parts {
  readonly rootDirectory: string;
  readonly runtime: DockerRuntime;
  readonly log: Log;
}

interface Registries {
  readonly metrics: MetricsRegistry;
  readonly probeMetrics: MetricsRegistry;
}

async function serve(given: Flags, parts: Parts, signal: AbortSignal): Promise<void> {
  const { runtime, log } = parts;
  const metrics = new MetricsRegistry();
  const probeMetrics = new MetricsRegistry();
  addProcessMetrics(metrics, version);
  let problem: () => string | undefined = () => 'starting';
  const health = new HealthServer({ port: given.healthPort, metrics, readyz: { node: () => problem() } });
  log.info('serves its health', { port: await health.start() });
  try {
    const kubelet = await connectKubelet(given, { ...parts, metrics, probeMetrics }, signal);
    problem = () => kubelet.problem();
    await new Group().add(task('kubelet', (stop) => kubelet.run(stop))).run(signal);
  } finally {
    await health.stop();
    await runtime.close();
  }
}

/** Gets credentials where there are none, waits for the API server, and puts the kubelet together. */
async function connectKubelet(given: Flags, parts: Parts & Registries, signal: AbortSignal): Promise<Kubelet> {
  const { rootDirectory, runtime, log, metrics, probeMetrics } = parts;
  const { kubeconfig: path, bootstrapKubeconfig: bootstrapPath, nodeName, nodeIp: nodeIP } = given;
  const credentials = { path, bootstrapPath, nodeName, clock, log };
  await ensureNodeKubeconfig(credentials, signal);
  const onAnswer = clientMetrics(metrics);
  const connect = (): ReturnType<typeof clientFromKubeconfig> =>
    clientFromKubeconfig(path, { clock, userAgent: 'knarr-kubelet', onAnswer });
  const client = new ReplaceableClient(await connect());
  await waitForServer(client, {
    clock,
    signal,
    onWaiting: (reason) => log.info('waiting for the API server', { reason }),
  });
  const file = join(rootDirectory, 'pki', 'kubelet-server');
  const clientCA = await readFile(given.clientCaFile, 'utf8');
  const certificate = new ServingCertificate({ client, clock, log, nodeName, nodeIP, file, clientCA });
  const access = createClientAccess({ client, clock, log, nodeName });
  const renew = (stop: AbortSignal): Promise<void> =>
    renewNodeKubeconfig(credentials, client, async () => client.replace(await connect()), stop);
  return buildKubelet({
    client,
    runtime,
    clock,
    log,
    metrics,
    probeMetrics,
    rootDirectory,
    random: Math.random,
    identity: identityOf(given),
    machine: await readMachine(rootDirectory),
    sysctls: given.allowedUnsafeSysctls,
    clusterDns: given.clusterDns,
    clusterDomain: given.clusterDomain,
    hostResolvConf: '/etc/resolv.conf',
    hostHosts: '/etc/hosts',
    appArmorProfiles: '/sys/kernel/security/apparmor/profiles',
    prober: createProber(runtime),
    servers: (view) => [
      { name: 'client', start: () => undefined, stop: () => client.close() },
      task('certificate', renew),
      ...apiServer(given, { runtime, log, metrics, probeMetrics, certificate, view, access }),
    ],
  });
}

function identityOf(given: Flags): NodeIdentity {
  return {
    name: given.nodeName,
    ip: given.nodeIp,
    linkAddress: given.linkAddress ?? given.nodeIp,
    labels: given.nodeLabels,
    port: given.port,
    ...(given.nodeCpu ? { cpu: given.nodeCpu } : {}),
    ...(given.nodeMemory ? { memory: given.nodeMemory } : {}),
  };
}

interface ServerParts extends Registries {
  readonly runtime: DockerRuntime;
  readonly log: Log;
  readonly certificate: ServingCertificate;
  readonly access: ClientAccess;
  readonly view: KubeletView;
}

/** The kubelet's own API; it listens as soon as it has a certificate, which on a new node the cluster has yet to sign. */
function apiServer(given: Flags, parts: ServerParts): readonly Member[] {
  const { runtime, log, metrics, probeMetrics, certificate, access, view } = parts;
  let server: KubeletServer | undefined;
  const listen = async (): Promise<void> => {
    server ??= createKubeletServer({
      host: given.nodeIp,
      port: given.port,
      nodeName: given.nodeName,
      runtime,
      pods: { list: view.pods, get: view.find },
      tls: certificate,
      access,
      clock,
      log,
      metrics: () => metrics.render(),
      probeMetrics: () => probeMetrics.render(),
    });
    await server.start();
  };
  return [
    { name: 'api', start: () => undefined, stop: () => server?.stop() },
    task('serving-certificate', (stop) => certificate.run(listen, stop)),
  ];
}

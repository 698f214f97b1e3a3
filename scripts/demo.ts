// npm run demo: a cluster of two nodes, the demo's images and manifests, pictures through the public Service, a report.
import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Progress } from '../cli/cluster/progress.js';
import { clusterFiles, readState } from '../cli/cluster/state.js';
import { runningSupervisor } from '../cli/cluster/supervision.js';
import { readPictures, sendPictures } from '../examples/image-classification/client.js';
import { CLOTHING_CLASSES } from '../examples/image-classification/gateway/classes.js';
import { buildDemoImages } from '../examples/image-classification/images.js';
import { renderReport, summarize } from '../examples/image-classification/report.js';
import { deployments, pods, services } from '../shared/api/generated/resources.js';
import type { Deployment, Pod } from '../shared/api/generated/types.js';
import type { Client } from '../shared/client/client.js';
import { clientFromKubeconfig } from '../shared/client/connect.js';
import { systemClock } from '../shared/clock/clock.js';
import { isNotFound } from '../shared/errors/status-error.js';

const cluster = 'default';
const knarr = resolve('bin/knarr');
const manifest = resolve('examples/image-classification/manifests/demo.yaml');
const samples = resolve('examples/image-classification/gateway/samples');
const deploymentNames = ['tf-serving-clothing-model', 'gateway'];
const waitMs = 180_000;
const pollMs = 200;

const { values: flags } = parseArgs({
  options: { once: { type: 'boolean', default: false }, pictures: { type: 'string' } },
});
const progress = new Progress();

/** Runs knarr; its output is ours. Throws when it fails. */
function run(...args: string[]): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [knarr, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
    child.once('error', fail);
    child.once('close', (code) => (code === 0 ? done() : fail(new Error(`knarr ${args.join(' ')} failed`))));
  });
}

/** Why a Deployment is not complete: its pods' own reasons, else its numbers. */
function waitingReason(deployment: Deployment | undefined, all: readonly Pod[]): string | undefined {
  if (!deployment) return 'not created yet';
  const { name } = deployment.metadata;
  const [wanted, available] = [deployment.spec.replicas ?? 1, deployment.status?.availableReplicas ?? 0];
  if (available >= wanted && (deployment.status?.updatedReplicas ?? 0) >= wanted) return undefined;
  const reasons = all.filter((p) => p.metadata.labels?.['app'] === name).flatMap((p) => podReason(p) ?? []);
  return `${name} ${available}/${wanted}${reasons.length > 0 ? ` (${[...new Set(reasons)].join(', ')})` : ''}`;
}

function podReason(pod: Pod): string | undefined {
  const unscheduled = pod.status?.conditions?.find((c) => c.type === 'PodScheduled' && c.status === 'False');
  if (unscheduled) return unscheduled.message;
  const waiting = pod.status?.containerStatuses?.find((s) => s.state?.waiting)?.state?.waiting;
  if (!waiting) return pod.status?.containerStatuses?.every((s) => s.ready) ? undefined : 'not ready yet';
  return waiting.message ? `${waiting.reason}: ${waiting.message}` : waiting.reason;
}

async function waitForDeployments(client: Client): Promise<void> {
  const deadline = performance.now() + waitMs;
  progress.step('waiting for the pods');
  for (;;) {
    const [found, running] = await Promise.all([
      client.list(deployments, { namespace: 'default' }),
      client.list(pods, { namespace: 'default' }),
    ]);
    const reasons = deploymentNames.flatMap(
      (name) =>
        waitingReason(
          found.items.find((d) => d.metadata.name === name),
          running.items,
        ) ?? [],
    );
    if (reasons.length === 0) return;
    progress.detail(reasons.join('; '));
    if (performance.now() > deadline)
      throw new Error(`the pods did not get ready within ${waitMs / 1000} s: ${reasons.join('; ')}`);
    await systemClock.sleep(pollMs);
  }
}

/** Public address of the gateway's Service. */
async function publicUrl(client: Client): Promise<string> {
  const deadline = performance.now() + waitMs;
  progress.step('waiting for the public address');
  for (;;) {
    const service = await client.get(services, 'gateway', 'default');
    const ip = service.status?.loadBalancer?.ingress?.[0]?.ip;
    const port = service.spec.ports?.[0]?.port;
    if (ip) return `http://${ip}${port === 80 ? '' : `:${port}`}`;
    const nodePort = service.spec.ports?.[0]?.nodePort;
    progress.detail(`Service gateway has no address yet; its node port is ${nodePort}`);
    if (performance.now() > deadline)
      throw new Error(
        `Service gateway got no address: is port ${port} of this machine taken? Try its node port, ${nodePort}`,
      );
    await systemClock.sleep(pollMs);
  }
}

async function deleteDemo(client: Client): Promise<void> {
  for (const name of deploymentNames) {
    for (const resource of [deployments, services]) {
      await client.delete(resource, name, 'default').catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
  }
}

async function demo(): Promise<void> {
  const files = clusterFiles(homedir(), cluster);
  const wasRunning = runningSupervisor(files) !== undefined;
  // The images need the engine alone: they are built while the cluster starts.
  const dockerSocket = readState(files)?.dockerHost ?? (process.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock');
  progress.step('starting a cluster of two nodes');
  progress.done();
  await run('up', '--nodes', '2', '--wait', '--name', cluster);
  const client = await clientFromKubeconfig(join(files.kubeconfigs, 'admin.conf'), {
    clock: systemClock,
    userAgent: 'knarr-demo',
  });
  try {
    progress.step('building the images');
    await buildDemoImages({ dockerSocket, log: (line) => progress.detail(line) });
    progress.step('applying the manifests');
    await run('apply', '-f', manifest, '--kubeconfig', join(files.kubeconfigs, 'admin.conf'));
    await waitForDeployments(client);
    const url = await publicUrl(client);
    await sendAndReport(url, client);
    if (!flags.once) {
      process.stdout.write(
        `\nThe web page:   ${url}\nLook around:    kubectl get pods -o wide\nStop:           ${knarr} down\n`,
      );
    }
    if (flags.once && wasRunning) await deleteDemo(client);
  } finally {
    client.close();
    if (flags.once && !wasRunning) await run('down', '--name', cluster);
  }
}

async function sendAndReport(url: string, client: Client): Promise<void> {
  const pictures = readPictures(flags.pictures ? resolve(flags.pictures) : samples, CLOTHING_CLASSES);
  progress.step(`sending ${pictures.length} pictures to ${url}`);
  const results = await sendPictures({
    baseUrl: url,
    pictures,
    concurrency: 2,
    timeoutMs: 30_000,
    onResult: (_, done) => progress.detail(`${done} of ${pictures.length}`),
  });
  progress.done();
  process.stdout.write(`\n${renderReport(results)}\n`);
  const summary = summarize(results);
  if (summary.failed > 0) throw new Error(`${summary.failed} of ${results.length} pictures were not answered`);
  const running = await client.list(deployments, { namespace: 'default' });
  const isSpread =
    running.items.every((d) => (d.spec.replicas ?? 1) < 2 || pictures.length < 20) ||
    (summary.requestsPerGateway.size >= 2 && summary.requestsPerModelServer.size >= 2);
  if (!isSpread)
    throw new Error('the requests were not balanced: fewer than two gateway pods or model-server pods answered');
}

try {
  await demo();
} catch (error) {
  progress.done();
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

// Run by pod-start.ts in the network of the cluster's host: KUBECONFIG DOCKER-SOCKET ROUNDS. Prints the times as JSON.
import { toolbox } from '../e2e/lab/images.js';
import { pods } from '../shared/api/generated/resources.js';
import { isNotFound } from '../shared/errors/status-error.js';
import type { Client } from '../shared/client/client.js';
import { clientFromKubeconfig } from '../shared/client/connect.js';
import { systemClock } from '../shared/clock/clock.js';
import { eventually } from '../shared/clock/eventually.js';
import { Docker, type Inspected } from './docker.js';
import { timed } from './figure.js';

export interface PodStarts {
  readonly podMs: readonly number[];
  readonly handMs: readonly number[];
}

const namespace = 'default';
const deadlineMs = 60_000;

/** Creates a pod and resolves when a watch that began before it has seen it run. */
async function startPod(client: Client, name: string): Promise<void> {
  const { metadata } = await client.list(pods, { namespace, limit: 1 });
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new Error(`${name} did not run`)), deadlineMs);
  const { resourceVersion } = metadata;
  const watch = client.watch(pods, { namespace, resourceVersion, signal: stop.signal });
  const container = { name: 'app', image: toolbox, command: ['sleep', '3600'], imagePullPolicy: 'Never' };
  const spec = { terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, containers: [container] };
  const created = client.create(pods, { metadata: { name, namespace }, spec });
  for await (const event of watch) {
    if (event.type === 'BOOKMARK') continue;
    if (event.object.metadata.name === name && event.object.status?.phase === 'Running') break;
  }
  clearTimeout(timer);
  await created;
}

/** Resolves when nothing of the pod is left, in the API and on the engine: its end must not slow down the next start. */
async function removePod(client: Client, docker: Docker, name: string): Promise<void> {
  await client.delete(pods, name, namespace, { gracePeriodSeconds: 0 });
  await eventually(async () => {
    const isGone = await client.get(pods, name, namespace).then(() => false, isNotFound);
    if (!isGone || (await docker.list(podNameLabel(name))).length > 0) throw new Error(`${name} is still there`);
  }, deadlineMs);
}

const podNameLabel = (name: string): string => `io.kubernetes.pod.name=${name}`;

/** A container like the inspected one; without its labels the kubelet takes it for a stranger's and leaves it alone. */
function like({ Config, HostConfig }: Inspected, sandbox?: string): object {
  if (sandbox === undefined) return { ...Config, Labels: {}, HostConfig };
  const shared = `container:${sandbox}`;
  const { Hostname: _, ExposedPorts: __, ...config } = Config;
  return { ...config, Labels: {}, HostConfig: { ...HostConfig, NetworkMode: shared, IpcMode: shared } };
}

async function startByHand(docker: Docker, sandbox: Inspected, app: Inspected): Promise<string[]> {
  const sandboxId = await docker.create(like(sandbox));
  await docker.start(sandboxId);
  const appId = await docker.create(like(app, sandboxId));
  await docker.start(appId);
  return [appId, sandboxId];
}

/** Both containers of a pod that runs. */
async function containersOf(docker: Docker, pod: string): Promise<[sandbox: Inspected, app: Inspected]> {
  const ids = await docker.list(podNameLabel(pod));
  const found = await Promise.all(ids.map((id) => docker.inspect(id)));
  const app = found.find(({ Config }) => Config['Image'] === toolbox);
  const sandbox = found.find((container) => container !== app);
  if (!app || !sandbox) throw new Error(`pod ${pod} has ${found.length} containers`);
  return [sandbox, app];
}

async function compare(client: Client, docker: Docker, rounds: number): Promise<PodStarts> {
  // It also shows what to make by hand, and keeps the files that both mount.
  await startPod(client, 'reference');
  const [sandbox, app] = await containersOf(docker, 'reference');
  const podMs: number[] = [];
  const handMs: number[] = [];
  for (let i = 0; i < rounds; i++) {
    podMs.push((await timed(() => startPod(client, `p-${i}`)))[0]);
    await removePod(client, docker, `p-${i}`);
    const [elapsedMs, ids] = await timed(() => startByHand(docker, sandbox, app));
    handMs.push(elapsedMs);
    for (const id of ids) await docker.remove(id);
  }
  return { podMs, handMs };
}

const [kubeconfig = '', socket = '', rounds = ''] = process.argv.slice(2);
const client = await clientFromKubeconfig(kubeconfig, { clock: systemClock, userAgent: 'knarr-bench' });
const docker = new Docker(socket);
process.stdout.write(JSON.stringify(await compare(client, docker, Number(rounds))));
docker.close();
client.close();

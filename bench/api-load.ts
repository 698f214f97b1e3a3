import type { Client } from './client.js';
import { percentile, perSecond, pool, timed, type Figure } from './figure.js';

export interface LoadOptions {
  readonly client: Client;
  readonly pods: number;
  readonly nodes: number;
  readonly watchers: number;
  readonly updates: number;
  /** Connections in use at once. */
  readonly width: number;
}

export type Load = (options: LoadOptions) => Promise<readonly Figure[]>;

const namespace = 'apibench';
export const base = `/api/v1/namespaces/${namespace}/pods`;
export const mergePatch = 'application/merge-patch+json';

export function pod(name: string, spec: object = {}): unknown {
  const labels = { app: 'bench', slot: String(name.length) };
  const resources = { requests: { cpu: '10m', memory: '16Mi' } };
  const container = {
    name: 'c',
    image: 'bench/app:1',
    ports: [{ containerPort: 8080 }],
    env: [{ name: 'A', value: 'b' }],
    resources,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels, annotations: { 'bench/note': 'x'.repeat(200) } },
    spec: { terminationGracePeriodSeconds: 0, containers: [container], ...spec },
  };
}

/** As many bytes as the pods of which the original's big lists were made: about 1.5 KB when stored. */
export function smallPod(name: string, group: string, nodeName: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { slot: group } },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      nodeName,
      containers: [{ name: 'c', image: 'bench/app:1' }],
    },
  };
}

const latency = (values: readonly number[]): Record<string, number> => ({
  p50Ms: percentile(values, 0.5),
  p99Ms: percentile(values, 0.99),
});

async function throughput(
  measure: string,
  load: { count: number; width: number },
  job: (index: number) => Promise<unknown>,
): Promise<Figure[]> {
  const [elapsedMs, latencies] = await timed(() => pool(load.count, load.width, job));
  const details: Record<string, number> = { count: load.count, ...latency(latencies) };
  return [
    { measure, value: perSecond(load.count, elapsedMs), unit: '/s', details },
    { measure: `${measure}, p99`, value: details['p99Ms'] ?? 0, unit: 'ms' },
  ];
}

/** Pods pinned to a node that is nobody's, so that no scheduler takes part. */
const create: Load = ({ client, pods, width }) =>
  throughput(`create pods, ${width} connections`, { count: pods, width }, (i) =>
    client.must('POST', base, pod(`p-${i}`, { nodeName: 'nobody' })),
  );

const get: Load = ({ client, pods, width }) =>
  throughput('get pods', { count: 2 * pods, width }, (i) => client.must('GET', `${base}/p-${i % pods}`));

const patch: Load = ({ client, pods, width }) =>
  throughput('merge-patch pods', { count: Math.min(pods, 2000), width }, (i) =>
    client.must('PATCH', `${base}/p-${i}`, { metadata: { labels: { round: '1' } } }, mergePatch),
  );

const remove: Load = ({ client, pods, width }) =>
  throughput('delete pods', { count: pods, width }, (i) =>
    client.must('DELETE', `${base}/p-${i}?gracePeriodSeconds=0`),
  );

const listRounds = 20;

const list: Load = async ({ client, pods }) => {
  const variants: [measure: string, query: string][] = [
    [`list ${pods.toLocaleString('en-US')} pods, resourceVersion=0`, '?resourceVersion=0'],
    [`list ${pods.toLocaleString('en-US')} pods`, ''],
    [`list ${pods.toLocaleString('en-US')} pods, limit=500`, '?limit=500'],
    [`list ${pods.toLocaleString('en-US')} pods, label selector`, '?labelSelector=slot%3D3'],
    [`list ${pods.toLocaleString('en-US')} pods, field selector`, '?fieldSelector=spec.nodeName%3Dnobody-else'],
  ];
  const figures: Figure[] = [];
  await client.must('GET', base);
  for (const [measure, query] of variants) {
    let bytes = 0;
    const read = async (): Promise<void> => {
      bytes = (await client.must('GET', base + query)).body.length;
    };
    // The first ones find code that is not compiled yet, on both sides.
    await pool(listRounds, 1, read);
    const latencies = await pool(listRounds, 1, read);
    figures.push({ measure, value: percentile(latencies, 0.5), unit: 'ms', details: { bytes, ...latency(latencies) } });
  }
  return figures;
};

export async function resourceVersion(client: Client): Promise<string> {
  const { body } = await client.must('GET', `${base}?limit=1`);
  return (JSON.parse(body.toString()) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}

/** Many watchers, few writers: how many events a second leave, and how late. `stuck` watchers read nothing meanwhile. */
async function fanOut(options: LoadOptions, measure: string, stuck: number): Promise<Figure[]> {
  const { client, watchers, updates } = options;
  const path = `${base}?watch=1&resourceVersion=${await resourceVersion(client)}`;
  const expected = watchers * updates;
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const onLine = (line: string): void => {
    const start = sentAt.get(/"mark":"([\d-]+)"/.exec(line)?.[1] ?? '');
    if (start === undefined) return;
    latencies.push(performance.now() - start);
    if (latencies.length === expected) finish();
  };
  const ends = await Promise.all([
    ...Array.from({ length: watchers }, () => client.watch(path, onLine)),
    ...Array.from({ length: stuck }, () => client.watch(path, () => undefined, { isStuck: true })),
  ]);
  const round = Date.now();
  const [elapsedMs] = await timed(async () => {
    await pool(updates, 4, (i) => {
      const mark = `${round}-${i}`;
      sentAt.set(mark, performance.now());
      return client.must('PATCH', `${base}/p-${i}`, { metadata: { annotations: { mark } } }, mergePatch);
    });
    await within(finished, 60_000);
  });
  for (const end of ends) end();
  const details: Record<string, number> = { expected, delivered: latencies.length, stuck, ...latency(latencies) };
  return [
    { measure, value: perSecond(latencies.length, elapsedMs), unit: 'events/s', details },
    { measure: `${measure}, p99`, value: details['p99Ms'] ?? 0, unit: 'ms' },
  ];
}

const watch: Load = async (options) => [
  ...(await fanOut(options, `watch fan-out, ${options.watchers} watchers`, 0)),
  ...(await fanOut(options, `watch fan-out, ${options.watchers} watchers and 5 stuck`, 5)),
];

/** Resolves when the work is done or the time is up. */
export async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)))]);
  clearTimeout(timer);
}

/** In the order in which they build on each other: the pods that create makes are read, patched, watched and deleted. */
export const loads: Readonly<Record<string, Load>> = { create, get, list, watch, patch, delete: remove };

/** The namespace of the load, with the account that pods need: made here, or by the controllers where they run. */
export async function prepare(client: Client, { hasControllers }: { hasControllers: boolean }): Promise<void> {
  const metadata = { name: namespace };
  await client.call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
  if (!hasControllers) {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await client.call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, account);
  }
  for (let attempt = 0; attempt < 60; attempt++) {
    const { status } = await client.call('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`);
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`namespace ${namespace} got no ServiceAccount "default" within 30 s: does a controller-manager run?`);
}

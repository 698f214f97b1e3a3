import { base, mergePatch, pod, resourceVersion, within, type Load } from './api-load.js';
import type { Client } from './client.js';
import { perSecond, pool } from './figure.js';

interface Count {
  readonly pods: number;
  readonly nodes: number;
  /** Connections in use at once. */
  readonly width: number;
}

/** Bindings as a watch has seen them. */
export interface Bound {
  readonly count: number;
  /** When the last one came, on the clock of performance.now(). */
  readonly lastMs: number;
}

const deadlineMs = 240_000;

/** Hollow nodes, then unbound pods: until the last one is bound, creation included. */
export const schedule: Load = async ({ client, pods, nodes, width }) => {
  await makeNodes(client, { nodes, width });
  const bound = await watchBindings(client, pods);
  const startMs = performance.now();
  await makePods(client, { pods, width });
  const createdMs = performance.now() - startMs;
  const { count, lastMs } = await bound.all;
  await removeAll(client, { pods, nodes, width });
  const measure = `schedule ${pods.toLocaleString('en-US')} pods onto ${nodes} nodes`;
  const value = perSecond(count, Math.max(1, lastMs - startMs));
  return [{ measure, value, unit: 'pods/s', details: { bound: count, createdMs } }];
};

export const makePods = (client: Client, { pods, width }: Pick<Count, 'pods' | 'width'>): Promise<unknown> =>
  pool(pods, width, (i) => client.must('POST', base, pod(`s-${i}`)));

export const makeNodes = (client: Client, { nodes, width }: Pick<Count, 'nodes' | 'width'>): Promise<unknown> =>
  pool(nodes, width, (i) => makeNode(client, i));

export async function removeAll(client: Client, { pods, nodes, width }: Count): Promise<void> {
  await pool(pods, width, (i) => client.call('DELETE', `${base}/s-${i}?gracePeriodSeconds=0`));
  await pool(nodes, width, (i) => client.call('DELETE', `/api/v1/nodes/hollow-${i}`));
}

/** Follows the pods of the load from now on. */
export async function watchBindings(client: Client, pods: number): Promise<{ readonly all: Promise<Bound> }> {
  let lastMs = 0;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const bound = new Set<string>();
  const end = await client.watch(`${base}?watch=1&resourceVersion=${await resourceVersion(client)}`, (line) => {
    const { object } = JSON.parse(line) as { object?: { spec?: { nodeName?: string }; metadata: { name: string } } };
    if (!object?.spec?.nodeName || !object.metadata.name.startsWith('s-')) return;
    bound.add(object.metadata.name);
    lastMs = performance.now();
    if (bound.size === pods) finish();
  });
  const all = within(finished, deadlineMs).then((): Bound => {
    end();
    return { count: bound.size, lastMs };
  });
  return { all };
}

async function makeNode(client: Client, index: number): Promise<void> {
  const name = `hollow-${index}`;
  const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `z${index % 3}` };
  await client.must('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const capacity = { cpu: '32', memory: '64Gi', pods: '110' };
  const times = { lastHeartbeatTime: now, lastTransitionTime: now };
  const ready = { type: 'Ready', status: 'True', reason: 'bench', message: '', ...times };
  const status = { capacity, allocatable: capacity, conditions: [ready] };
  await client.must('PATCH', `/api/v1/nodes/${name}/status`, { status }, 'application/strategic-merge-patch+json');
  await client.call('PATCH', `/api/v1/nodes/${name}`, { spec: { taints: null } }, mergePatch);
}

import { base, prepare, smallPod } from './api-load.js';
import type { Client } from './client.js';
import { ControlPlane } from './control-plane.js';
import { percentile, pool, timed, type Figure, type MeasureContext, type Measures } from './figure.js';

const pods = 6_300;
/** So many nodes and label values: each is that of 63 pods. */
const groups = 100;
/** Long enough that the code of both sides is compiled for more than half of the rounds: the figure is the median. */
const listMs = 1_000;
const restartObjects = 30_000;
const big = { objects: 200, bytes: 500_000, clients: 16 };
const configMaps = '/api/v1/namespaces/apibench/configmaps';

/** Whole collections: lists, filtered or from many clients at once, deletes, and starting with many objects. */
export const measures: Measures = async (context) => {
  const cluster = await ControlPlane.create(context.directory);
  try {
    await cluster.start('apiserver');
    const client = cluster.client(64);
    await prepare(client, { hasControllers: false });
    const figures = [...(await manyPods(client, context)), ...(await bigLists(cluster, client, context))];
    figures.push(await restart(cluster, client, context));
    client.close();
    return figures;
  } finally {
    await cluster.close();
  }
};

async function manyPods(client: Client, { say }: MeasureContext): Promise<Figure[]> {
  say(`  ${pods} pods`);
  const create = (i: number): Promise<unknown> =>
    client.must('POST', base, smallPod(`p-${i}`, `s-${i % groups}`, `node-${i % groups}`));
  const before = await counters(client);
  await pool(pods, 64, create);
  const after = await counters(client);
  const writes = after.writes - before.writes;
  const commits = after.commits - before.commits;
  const list = async (query: string): Promise<number> => {
    const takenMs: number[] = [];
    for (const startMs = performance.now(); performance.now() - startMs < listMs;)
      takenMs.push((await timed(() => client.must('GET', base + query)))[0]);
    return percentile(takenMs, 0.5);
  };
  const whole = await list('');
  const byNode = await list('?fieldSelector=spec.nodeName%3Dnode-7');
  const byLabel = await list('?labelSelector=slot%3Ds-7');
  const [deletedMs] = await timed(() => client.must('DELETE', `${base}?gracePeriodSeconds=0`));
  const filtered = (by: string, ms: number): Figure => ({
    measure: `filtered list by ${by}, of our own full list`,
    value: ms / whole,
    unit: 'x',
    details: { wholeMs: whole, filteredMs: ms },
  });
  return [
    { measure: 'syncs for one write under load', value: commits / writes, unit: 'x', details: { commits, writes } },
    { measure: 'list 6,300 pods', value: whole, unit: 'ms' },
    filtered('nodeName', byNode),
    filtered('label', byLabel),
    { measure: 'delete 6,300 pods by collection', value: deletedMs / 1000, unit: 's' },
  ];
}

async function counters(client: Client): Promise<{ commits: number; writes: number }> {
  const text = (await client.must('GET', '/metrics')).body.toString();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
  return { commits: value('apiserver_storage_commits_total'), writes: value('apiserver_storage_writes_total') };
}

/** How much the server grows while it sends the same big list to many. */
async function bigLists(cluster: ControlPlane, client: Client, { say }: MeasureContext): Promise<Figure[]> {
  say(`  ${big.clients} clients list ${(big.objects * big.bytes) / 1e6} MB each`);
  const data = { data: 'x'.repeat(big.bytes) };
  await pool(big.objects, 4, (i) => client.must('POST', configMaps, { metadata: { name: `big-${i}` }, data }));
  await client.drain(configMaps);
  const beforeMB = cluster.use('apiserver').memoryMB;
  let peakMB = beforeMB;
  const sampling = setInterval(() => (peakMB = Math.max(peakMB, cluster.use('apiserver').memoryMB)), 20);
  const [elapsedMs, sizes] = await timed(() =>
    Promise.all(Array.from({ length: big.clients }, () => client.drain(configMaps))),
  );
  clearInterval(sampling);
  const sentMB = sizes.reduce((sum, size) => sum + size, 0) / 1e6;
  await pool(big.objects, 16, (i) => client.must('DELETE', `${configMaps}/big-${i}`));
  const growthMB = peakMB - beforeMB;
  return [
    {
      measure: 'memory growth while 16 clients list 100 MB each, of the bytes sent',
      value: growthMB / sentMB,
      unit: 'x',
      details: { beforeMB, growthMB, sentMB, elapsedMs },
    },
  ];
}

async function restart(cluster: ControlPlane, client: Client, { say }: MeasureContext): Promise<Figure> {
  say(`  restart with ${restartObjects} objects`);
  const data = { data: 'x'.repeat(1_000) };
  await pool(restartObjects, 64, (i) => client.must('POST', configMaps, { metadata: { name: `c-${i}` }, data }));
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    await cluster.stop('apiserver');
    const [elapsedMs] = await timed(() => cluster.start('apiserver'));
    times.push(elapsedMs);
  }
  return { measure: 'restart with 30,000 objects to ready', value: percentile(times, 0.5), unit: 'ms' };
}

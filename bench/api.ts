import { base, loads, prepare, smallPod } from './api-load.js';
import type { Client } from './client.js';
import { ControlPlane } from './control-plane.js';
import { pool, type Figure, type Measures } from './figure.js';

const counts = { pods: 3000, nodes: 500, watchers: 200, updates: 200 };
/** Rounds of creates, patches and deletes that nobody measures: V8 compiles what is hot in them. */
const warmUpRounds = 3;
const createRounds = 5;

/**
 * The API server as `knarr up` starts it, under the load that the original was measured with. A Node process is slow until its
 * hot functions are compiled, so the first creates after a start have a line of their own, and the rest is measured after that.
 */
export const measures: Measures = async ({ directory, say }) => {
  const cluster = await ControlPlane.create(directory);
  try {
    await cluster.start('apiserver');
    await prepare(cluster.client(1), { hasControllers: false });
    const figures = await firstCreates(cluster, say);
    for (let round = 0; round < warmUpRounds; round++) {
      for (const name of ['create', 'patch', 'delete']) await run(cluster, name, 64);
    }
    for (const width of [64, 32]) {
      say(`  ${width} connections`);
      figures.push(...(await creates(cluster, width)));
      if (width === 64) figures.push(...(await onOpenConnections(cluster)));
      // Everything else was measured at one width, on what its creates had made.
      const others = width === 32 ? ['get', 'list', 'watch', 'patch', 'delete'] : [];
      for (const name of others) figures.push(...(await run(cluster, name, width)));
      if (others.length === 0) await run(cluster, 'delete', width);
    }
    return [...figures, ...(await manyWatchers(cluster, say)), ...(await bigLists(cluster, say))];
  } finally {
    await cluster.close();
  }
};

async function firstCreates(cluster: ControlPlane, say: (line: string) => void): Promise<Figure[]> {
  say('  the first creates');
  const [first] = await run(cluster, 'create', 64);
  await run(cluster, 'delete', 64);
  if (!first) return [];
  return [{ ...first, measure: 'create pods, the first 3,000 after a start' }];
}

/** Leaves the pods of the last round. */
const creates = (cluster: ControlPlane, width: number): Promise<readonly Figure[]> =>
  middle(cluster, () => run(cluster, 'create', width));

/** A client's handshakes are 2 % of the requests of a run: its p99 tells of them and not of the server. */
async function onOpenConnections(cluster: ControlPlane): Promise<readonly Figure[]> {
  await run(cluster, 'delete', 64);
  const client = cluster.client(64);
  await pool(64, 64, () => client.must('GET', '/readyz'));
  const figures = await middle(cluster, async () => (await loads['create']?.({ client, width: 64, ...counts })) ?? []);
  client.close();
  return figures.map((figure) => ({
    ...figure,
    measure: figure.measure.replace('64 connections', '64 connections that exist'),
  }));
}

/** The middle of some rounds of creates: each lasts less than a second, in which the store or V8 may just be tidying up. */
async function middle(cluster: ControlPlane, measure: () => Promise<readonly Figure[]>): Promise<readonly Figure[]> {
  const rounds: (readonly Figure[])[] = [];
  for (let round = 0; round < createRounds; round++) {
    if (round > 0) await run(cluster, 'delete', 64);
    rounds.push(await measure());
  }
  const [first = []] = rounds;
  return first.map((figure, i) => {
    const sorted = rounds.map((round) => round[i] ?? figure).sort((a, b) => a.value - b.value);
    return sorted[Math.floor(sorted.length / 2)] ?? figure;
  });
}

async function manyWatchers(cluster: ControlPlane, say: (line: string) => void): Promise<readonly Figure[]> {
  say('  500 watchers');
  await run(cluster, 'create', 32);
  const figures = await run(cluster, 'watch', 32, { watchers: 500 });
  await run(cluster, 'delete', 32);
  return figures.filter(({ measure }) => !measure.includes('stuck'));
}

async function bigLists(cluster: ControlPlane, say: (line: string) => void): Promise<readonly Figure[]> {
  say('  6,300 pods');
  const client = cluster.client(64);
  await pool(6300, 64, (i) => client.must('POST', base, smallPod(`p-${i}`, 's-1', 'nobody')));
  client.close();
  const figures = await run(cluster, 'list', 1, { pods: 6300 });
  const { memoryMB } = cluster.use('apiserver');
  return [...figures, { measure: 'memory of the API server with 6,300 pods', value: memoryMB, unit: 'MB' }];
}

/** One load on connections of its own. Adds to its first figure the CPU time that the server took for one object. */
async function run(
  cluster: ControlPlane,
  name: string,
  width: number,
  changes: Partial<typeof counts> = {},
): Promise<readonly Figure[]> {
  const load = loads[name];
  if (!load) throw new Error(`there is no load ${name}`);
  const client: Client = cluster.client(width);
  const beforeMs = cluster.use('apiserver').cpuMs;
  const [first, ...rest] = await load({ client, width, ...counts, ...changes });
  client.close();
  if (!first) return [];
  const serverCpuMs = (cluster.use('apiserver').cpuMs - beforeMs) / (first.details?.['count'] ?? 1);
  return [{ ...first, details: { ...first.details, serverCpuMs } }, ...rest];
}

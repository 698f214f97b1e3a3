import { prepare } from './api-load.js';
import { ControlPlane } from './control-plane.js';
import { perSecond, type Figure, type Measures } from './figure.js';
import { makeNodes, makePods, removeAll, schedule, watchBindings } from './scheduling-load.js';

const pods = 3000;
const width = 32;

/** The scheduler on hollow nodes: pods while they are created, and pods that wait already when it starts. */
export const measures: Measures = async ({ directory, say }) => {
  const cluster = await ControlPlane.create(directory);
  try {
    await cluster.start('apiserver', 'scheduler');
    await prepare(cluster.client(1), { hasControllers: false });
    say('  creation included, 500 nodes');
    const client = cluster.client(width);
    const load = { client, pods, nodes: 500, width, watchers: 0, updates: 0 };
    const first = (await schedule(load)).map((figure) => ({ ...figure, measure: `${figure.measure}, after a start` }));
    const figures = [...first, ...(await schedule(load))];
    client.close();
    for (const nodes of [1000, 5000]) {
      say(`  pods that wait, ${nodes} nodes`);
      figures.push(await waiting(cluster, nodes));
    }
    return figures;
  } finally {
    await cluster.close();
  }
};

/** From the start of a scheduler's process to the last binding. */
async function waiting(cluster: ControlPlane, nodes: number): Promise<Figure> {
  await cluster.stop('scheduler');
  const client = cluster.client(width);
  await makeNodes(client, { nodes, width });
  await makePods(client, { pods, width });
  const bindings = await watchBindings(client, pods);
  const startMs = performance.now();
  await cluster.start('scheduler');
  const { count, lastMs } = await bindings.all;
  await removeAll(client, { pods, nodes, width });
  client.close();
  const measure = `schedule ${pods.toLocaleString('en-US')} waiting pods, ${nodes.toLocaleString('en-US')} nodes`;
  return { measure, value: perSecond(count, Math.max(1, lastMs - startMs)), unit: 'pods/s', details: { bound: count } };
}

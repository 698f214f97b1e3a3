import { base, loads, mergePatch, pod, prepare, type Load } from './api-load.js';
import type { Client } from './client.js';
import { ControlPlane } from './control-plane.js';
import { pool, type Figure, type Measures } from './figure.js';

const pods = 6_300;
const width = 64;
const table = 'application/json;as=Table;g=meta.k8s.io;v=v1';
const metadataOnly = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const configMap = '/api/v1/namespaces/apibench/configmaps/big';
/** Fields of the largest object that is applied. */
const appliedFields = 2_000;

type Step = readonly [load: string, run: (client: Client) => Promise<unknown>];

/** What could hold up everybody else; in an order in which each finds what it needs. */
const steps: readonly Step[] = [
  ['the first discovery and OpenAPI documents', documents],
  ['creates', (client) => pool(pods, width, (i) => client.must('POST', base, pod(`p-${i}`, { nodeName: 'nobody' })))],
  ['patches', (client) => runLoad('patch', client)],
  ['lists of 6,300 pods', (client) => pool(10, 2, () => client.must('GET', base))],
  ['tables of 6,300 pods', (client) => pool(4, 1, () => client.accepting(table, base))],
  ['lists of the metadata of 6,300 pods', (client) => pool(4, 1, () => client.accepting(metadataOnly, base))],
  ['a first look by a label', (client) => client.must('GET', `${base}?labelSelector=slot%3D3`)],
  ['500 watchers', (client) => runLoad('watch', client)],
  ['apply of an object with 2,000 fields', applies],
  ['collection delete of 6,300 pods', (client) => client.must('DELETE', `${base}?gracePeriodSeconds=0`)],
];

/** For how long the API server answers nobody else, under loads of many kinds. Preemption by other programs counts too. */
export const measures: Measures = async ({ directory, say }) => {
  const cluster = await ControlPlane.create(directory, true);
  try {
    await cluster.start('apiserver');
    const client = cluster.client(width);
    await prepare(client, { hasControllers: false });
    const figures: Figure[] = [];
    for (const [load, run] of steps) {
      say(`  ${load}`);
      await cluster.longestStallMs('apiserver');
      await run(client);
      const value = await cluster.longestStallMs('apiserver');
      figures.push({ measure: `longest stall, ${load}`, value, unit: 'ms' });
    }
    client.close();
    return figures;
  } finally {
    await cluster.close();
  }
};

function runLoad(name: string, client: Client): ReturnType<Load> {
  const load = loads[name];
  if (!load) throw new Error(`there is no load ${name}`);
  return load({ client, pods, nodes: 0, watchers: 500, updates: 200, width });
}

async function documents(client: Client): Promise<void> {
  const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  for (const path of ['/api', '/apis']) await client.accepting(aggregated, path);
  const index = await client.must('GET', '/openapi/v3');
  const { paths } = JSON.parse(index.body.toString()) as { paths: Record<string, { serverRelativeURL: string }> };
  for (const { serverRelativeURL } of Object.values(paths)) await client.must('GET', serverRelativeURL);
  await client.must('GET', '/openapi/v2');
  await client.accepting('application/com.github.proto-openapi.spec.v2@v1.0+protobuf', '/openapi/v2');
}

async function applies(client: Client): Promise<void> {
  const data = Object.fromEntries(Array.from({ length: appliedFields }, (_, i) => [`key-${i}`, 'x'.repeat(100)]));
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'big' }, data };
  for (const manager of ['one', 'two']) {
    const path = `${configMap}?fieldManager=${manager}&force=true`;
    await client.must('PATCH', path, object, 'application/apply-patch+yaml');
  }
  await client.must('PATCH', configMap, { data: { more: 'x' } }, mergePatch);
}

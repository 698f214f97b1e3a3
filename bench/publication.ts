import type { Client } from './client.js';
import { ControlPlane } from './control-plane.js';
import { percentile, timed, type Figure, type Measures } from './figure.js';

const rounds = 20;
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** How long clients wait for a custom resource: from its definition to the documents that tell of it. */
export const measures: Measures = async ({ directory, say }) => {
  const cluster = await ControlPlane.create(directory);
  try {
    await cluster.start('apiserver');
    const client = cluster.client(1);
    say(`  ${rounds} definitions`);
    const takenMs: { discovery: number; openApi: number }[] = [];
    for (let round = 0; round < rounds; round++) takenMs.push(await publish(client, `kind${round}`));
    client.close();
    const figure = (measure: string, values: readonly number[]): Figure => ({
      measure,
      value: percentile(values, 0.5),
      unit: 'ms',
      details: { p99Ms: percentile(values, 0.99) },
    });
    return [
      figure(
        'a custom resource in discovery',
        takenMs.map(({ discovery }) => discovery),
      ),
      figure(
        'a custom resource in OpenAPI v2',
        takenMs.map(({ openApi }) => openApi),
      ),
    ];
  } finally {
    await cluster.close();
  }
};

async function publish(client: Client, kind: string): Promise<{ discovery: number; openApi: number }> {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } };
  const body = {
    metadata: { name: `${kind}s.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: `${kind}s`, kind: `${kind[0]?.toUpperCase() ?? ''}${kind.slice(1)}` },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
  const startMs = performance.now();
  await client.must('POST', definitions, body);
  await found(client, '/apis/example.com/v1', `"${kind}s"`);
  const discovery = performance.now() - startMs;
  const [moreMs] = await timed(() => found(client, '/openapi/v2', `/${kind}s/`));
  return { discovery, openApi: discovery + moreMs };
}

async function found(client: Client, path: string, text: string): Promise<void> {
  for (;;) {
    const answer = await client.call('GET', path);
    if (answer.body.includes(text)) return;
    if (answer.status >= 500) throw new Error(`${path} answered ${answer.status}`);
  }
}

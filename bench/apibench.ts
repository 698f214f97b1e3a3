// The same load on any server that speaks the Kubernetes API, so that two servers can be compared on one machine.
//   node dist/bench/apibench.js --server https://127.0.0.1:6443 (--token T | --cert FILE --key FILE) (--ca FILE | --insecure)
//     [--pods 3000] [--nodes 500] [--watchers 200] [--updates 200] [--concurrency 32] [--only create,get,list] [--json] [--no-account]
// Prints a table with the original beside it, or with --json one line a figure. --no-account: the server runs without a
// controller-manager, so make the ServiceAccount that pods need here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { calibrate } from './calibration.js';
import { Client } from './client.js';
import { compare, formatTable, readOriginal } from './comparison.js';
import type { Figure } from './figure.js';
import { loads as apiLoads, prepare } from './api-load.js';
import { schedule } from './scheduling-load.js';

const loads = { ...apiLoads, schedule };

const { values } = parseArgs({
  options: {
    server: { type: 'string' },
    token: { type: 'string' },
    ca: { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
    insecure: { type: 'boolean' },
    pods: { type: 'string', default: '3000' },
    nodes: { type: 'string', default: '500' },
    watchers: { type: 'string', default: '200' },
    updates: { type: 'string', default: '200' },
    concurrency: { type: 'string', default: '32' },
    only: { type: 'string', default: Object.keys(loads).join(',') },
    json: { type: 'boolean', default: false },
    'no-account': { type: 'boolean', default: false },
  },
});

async function run(server: string): Promise<void> {
  const file = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));
  const width = Number(values.concurrency);
  const client = new Client({
    server,
    width,
    ...(values.token ? { token: values.token } : {}),
    ca: file(values.ca),
    cert: file(values.cert),
    key: file(values.key),
    rejectUnauthorized: !values.insecure,
  });
  const figures: Figure[] = [];
  const calibration = await calibrate(process.cwd());
  await prepare(client, { hasControllers: !values['no-account'] });
  const { pods, nodes, watchers, updates } = values;
  const counts = { pods: Number(pods), nodes: Number(nodes), watchers: Number(watchers), updates: Number(updates) };
  for (const name of values.only.split(',')) {
    const load = Object.hasOwn(loads, name) ? loads[name as keyof typeof loads] : undefined;
    if (!load) throw new Error(`there is no load ${JSON.stringify(name)}; known are ${Object.keys(loads).join(', ')}`);
    for (const figure of await load({ client, width, ...counts })) {
      figures.push(figure);
      if (values.json) console.log(JSON.stringify(figure));
    }
  }
  client.close();
  const original = readOriginal(join(process.cwd(), 'bench/original.json'));
  if (!values.json) console.log(formatTable(figures.map((figure) => compare(figure, original, calibration))));
}

if (values.server === undefined) {
  process.stderr.write('--server is missing: the URL of an API server, as in --server https://127.0.0.1:6443\n');
  process.exitCode = 1;
} else await run(values.server);

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../shared/clock/eventually.js';
import { seededRandom } from '../shared/clock/seeded-random.js';
import { readTrace, traceCommand } from './storage/testing/disk-trace.js';
import { rebuild } from './storage/testing/power-loss.js';
import { RawClient } from './testing/raw-client.js';
import { makeServerFiles, ServerProcess, type ServerFiles } from './testing/server-process.js';

const configMaps = '/api/v1/namespaces/default/configmaps';
const data = 'x'.repeat(500);

interface Acknowledged {
  readonly name: string;
  readonly atSeconds: number;
}

/** Eight clients write until `count` objects are acknowledged; says when each was. */
async function write(server: ServerProcess, files: ServerFiles, count: number): Promise<Acknowledged[]> {
  const client = new RawClient(server, files.admin);
  const acknowledged: Acknowledged[] = [];
  await eventually(async () => assert.equal((await client.send('/readyz')).code, 200), 30_000);
  const run = async (writer: number): Promise<void> => {
    for (let i = 0; acknowledged.length < count; i++) {
      const name = `w-${writer}-${i}`;
      const { code } = await client.send(configMaps, { body: { metadata: { name }, data: { data } } });
      assert.equal(code, 201);
      // The clock here counts whole milliseconds.
      acknowledged.push({ name, atSeconds: (Date.now() + 1) / 1000 });
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, writer) => run(writer)));
  client.close();
  return acknowledged;
}

/** The server becomes ready, and has each object that was acknowledged, whole. */
async function assertServes(files: ServerFiles, acknowledged: readonly Acknowledged[]): Promise<void> {
  const server = await ServerProcess.start(files);
  const client = new RawClient(server, files.admin);
  try {
    await eventually(async () => assert.equal((await client.send('/readyz')).code, 200), 30_000);
    const { json } = await client.send(configMaps);
    const { items } = json as unknown as { items: { metadata: { name: string }; data: { data: string } }[] };
    const found = new Map(items.map((item) => [item.metadata.name, item.data.data]));
    for (const { name } of acknowledged) assert.equal(found.get(name), data, `${name} was acknowledged`);
    const created = await client.send(configMaps, { body: { metadata: { name: 'after' } } });
    assert.equal(created.code, 201);
  } finally {
    client.close();
    await server.kill();
  }
}

test(
  'a server whose host lost power is ready again with all that it had acknowledged',
  { timeout: 300_000 },
  async (t) => {
    const place = mkdtempSync(join(tmpdir(), 'knarr-power-'));
    t.after(() => rmSync(place, { recursive: true }));
    const state = join(place, 'state');
    const trace = join(place, 'trace');
    const source = join(state, 'db');
    const files = await makeServerFiles(join(place, 'files'), state);
    const server = await ServerProcess.start(files, traceCommand(trace));
    t.after(() => server.kill());
    const acknowledged = await write(server, files, 2_000);
    await server.kill();
    const operations = await readTrace(trace, source);
    const seed = Number(process.env['KNARR_SEED'] ?? Date.now() % 1_000_000);
    const random = seededRandom(seed);
    for (let round = 0; round < 10; round++) {
      const cut = round === 0 ? operations.length : Math.floor(random() * operations.length);
      const atSeconds = operations[cut]?.atSeconds ?? Number.POSITIVE_INFINITY;
      const lost = join(place, `lost-${round}`);
      mkdirSync(lost);
      rebuild(operations, cut, round % 2 === 0 ? 'lost' : 'torn', { source, target: join(lost, 'db') }, random);
      const flags = files.flags.map((flag) => (flag === state ? lost : flag));
      try {
        await assertServes(
          { ...files, flags },
          acknowledged.filter((one) => one.atSeconds < atSeconds),
        );
      } catch (error) {
        throw new Error(`cut at ${cut} of ${operations.length}, seed ${seed}`, { cause: error });
      }
    }
  },
);

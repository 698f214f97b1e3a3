import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { eventually } from '../shared/clock/eventually.js';
import { bombs, configMaps, json, malformed, one, paths, type Hostile } from './testing/hostile-input.js';
import type { RawOptions } from './testing/raw-client.js';
import { serverWorld } from './testing/server-world.js';

/** Nobody else may wait longer than this for a request that is refused, or for a big one that is not. */
const maxStallMs = 250;

describe('hostile input', () => {
  const { admin } = serverWorld();
  before(async () => {
    const made = await admin.send(configMaps, { body: { metadata: { name: 'a' }, data: { k: 'v' } } });
    assert.equal(made.code, 201, made.text);
  });

  function requestOf({ path = configMaps, method, type = json, body }: Hostile): [string, RawOptions] {
    if (body === undefined) return [path, method ? { method } : {}];
    return [
      path,
      {
        method: method ?? 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': type },
      },
    ];
  }

  /** How long the event loop stands still at most: the best of a few rounds, since others use this machine too. */
  async function stallOf(run: () => Promise<void>): Promise<number> {
    let leastMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5 && leastMs > maxStallMs; round++) {
      const delay = monitorEventLoopDelay({ resolution: 5 });
      delay.enable();
      await run();
      // A stall is noticed by the first sample after it.
      const { count } = delay;
      await eventually(() => assert.ok(delay.count > count));
      delay.disable();
      leastMs = Math.min(leastMs, delay.max / 1e6);
    }
    return leastMs;
  }

  for (const [title, table] of Object.entries({ malformed, bombs, paths })) {
    for (const hostile of table) {
      it(`${title}: ${hostile.what} gets ${hostile.code} and its cause`, async () => {
        const [path, options] = requestOf(hostile);
        const stallMs = await stallOf(async () => {
          const { code, json: status, text } = await admin.send(path, options);
          assert.equal(code, hostile.code, text.slice(0, 500));
          assert.equal(status?.['kind'], 'Status');
          assert.equal(status['reason'], hostile.reason);
          assert.match(String(status['message']), hostile.message);
          assert.ok(text.length < 64 * 1024, `an answer of ${text.length} bytes`);
          if (hostile.field === undefined) return;
          const { causes } = status['details'] as { causes: { field: string }[] };
          assert.equal(causes[0]?.field, hostile.field);
        });
        assert.ok(stallMs < maxStallMs, `the event loop stood still for ${stallMs} ms`);
      });
    }
  }

  it('big bodies that are fine hold nobody up', async () => {
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key-${i}`, 'v']));
    const bodies = [{ data: { a: 'x'.repeat(1_000_000) } }, { data: many }];
    for (const [i, body] of bodies.entries()) {
      const text = JSON.stringify({ metadata: { generateName: `big-${i}-` }, ...body });
      const stallMs = await stallOf(async () => {
        const made = await admin.send(configMaps, { body: text });
        assert.equal(made.code, 201, made.text.slice(0, 500));
      });
      assert.ok(stallMs < maxStallMs, `the event loop stood still for ${stallMs} ms`);
    }
  });

  it('nothing of all that was stored', async () => {
    const { json: list } = await admin.send(configMaps);
    const names = (list as unknown as { items: { metadata: { name: string } }[] }).items.map(
      ({ metadata }) => metadata.name,
    );
    assert.deepEqual(
      names.filter((name) => !name.startsWith('big-')),
      ['a'],
    );
    assert.deepEqual((await admin.send(one)).json?.['data'], { k: 'v' });
  });
});

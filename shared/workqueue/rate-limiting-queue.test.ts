import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from '../clock/fake-clock.js';
import { DefaultRateLimiter } from './rate-limiter.js';
import { RateLimitingQueue } from './rate-limiting-queue.js';

test('a key added while it is worked on comes again after done, once', async () => {
  const queue = new RateLimitingQueue({ clock: new FakeClock() });
  queue.add('a');
  assert.equal(await queue.get(), 'a');
  queue.add('a');
  queue.add('a');
  assert.equal(queue.length, 0);
  queue.done('a');
  assert.equal(queue.length, 1);
  assert.equal(await queue.get(), 'a');
  queue.done('a');
  assert.equal(queue.length, 0);
});

test('after shutDown what is ready is still given out, then undefined', async () => {
  const queue = new RateLimitingQueue({ clock: new FakeClock() });
  queue.add('a');
  queue.addAfter('late', 10);
  queue.shutDown();
  queue.add('b');
  assert.equal(await queue.get(), 'a');
  assert.equal(await queue.get(), undefined);
});

test('a waiting get is ended by shutDown', async () => {
  const queue = new RateLimitingQueue({ clock: new FakeClock() });
  const waiting = queue.get();
  queue.shutDown();
  assert.equal(await waiting, undefined);
});

test('of several delays of a key the shortest counts', async () => {
  const clock = new FakeClock();
  const queue = new RateLimitingQueue({ clock });
  queue.addAfter('a', 100);
  queue.addAfter('a', 50);
  queue.addAfter('a', 200);
  await clock.advance(49);
  assert.equal(queue.length, 0);
  await clock.advance(1);
  assert.equal(queue.length, 1);
  await clock.advance(1000);
  assert.equal(queue.length, 1);
  assert.equal(clock.pending, 0);
});

test('back-off doubles from 5 ms to 1000 s and starts over after forget', () => {
  const limiter = new DefaultRateLimiter(new FakeClock());
  const delays = Array.from({ length: 20 }, () => limiter.delayMs('a'));
  assert.deepEqual(delays.slice(0, 4), [5, 10, 20, 40]);
  assert.equal(delays.at(-1), 1_000_000);
  assert.equal(limiter.retries('a'), 20);
  limiter.forget('a');
  assert.equal(limiter.delayMs('a'), 5);
});

test('many keys that fail at once are spread by the bucket', () => {
  const limiter = new DefaultRateLimiter(new FakeClock(), { retriesPerSecond: 10, burst: 2 });
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => Math.round(limiter.delayMs(key))),
    [5, 5, 100, 200],
  );
});

test('property: a key is never worked on twice at once, and none that was added is lost', async () => {
  const step = fc.oneof(
    fc.record({ op: fc.constantFrom('add', 'addRateLimited', 'forget'), key: fc.constantFrom('a', 'b', 'c', 'd') }),
    fc.record({ op: fc.constant('addAfter'), key: fc.constantFrom('a', 'b', 'c', 'd'), ms: fc.nat(30) }),
    fc.record({ op: fc.constant('advance'), ms: fc.nat(20) }),
    fc.record({ op: fc.constantFrom('get', 'done') }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new FakeClock();
      const queue = new RateLimitingQueue({ clock });
      const working: string[] = [];
      /** Keys that have to be given out at least once more. */
      const owed = new Set<string>();
      const take = async (): Promise<void> => {
        const key = (await queue.get()) ?? assert.fail('shut down');
        assert.ok(!working.includes(key), `${key} twice at once`);
        working.push(key);
        owed.delete(key);
      };
      for (const { op, ...rest } of steps as { op: string; key?: string; ms?: number }[]) {
        const { key = 'a', ms = 0 } = rest;
        if (op.startsWith('add')) owed.add(key);
        if (op === 'add') queue.add(key);
        else if (op === 'addRateLimited') queue.addRateLimited(key);
        else if (op === 'addAfter') queue.addAfter(key, ms);
        else if (op === 'forget') queue.forget(key);
        else if (op === 'advance') await clock.advance(ms);
        else if (op === 'get' && queue.length > 0) await take();
        else if (op === 'done' && working.length > 0) queue.done(working.shift() ?? '');
      }
      for (let key = working.shift(); key; key = working.shift()) queue.done(key);
      await clock.advance(2_000_000);
      for (let guard = 0; queue.length > 0 && guard < 10; guard++) {
        await take();
        queue.done(working.shift() ?? '');
      }
      assert.deepEqual([...owed], []);
      assert.equal(clock.pending, 0);
    }),
    { numRuns: 200 },
  );
});

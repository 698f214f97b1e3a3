import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { LevelStorage } from './level-storage.js';
import { MemoryStorage } from './memory-storage.js';
import type { Storage, StorageEvent } from './storage.js';
import { testFolder } from '../testing/test-folder.js';

type Step =
  | { do: 'put' | 'delete'; key: string; expect: 'current' | 'none' | 'wrong' }
  | { do: 'compact'; part: number }
  | { do: 'reopen' }
  | { do: 'together'; keys: string[] };

const key = fc.constantFrom('/a', '/a/b', '/a-', '/b', '/c/d');
const expectation = fc.constantFrom('current', 'current', 'none', 'wrong') as fc.Arbitrary<
  'current' | 'none' | 'wrong'
>;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('put', 'delete'), key, expect: expectation }) as fc.Arbitrary<Step>,
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('compact'),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }) as fc.Arbitrary<Step>,
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'reopen' }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('together'), keys: fc.array(key, { maxLength: 8 }) }) as fc.Arbitrary<Step>,
  },
);

/** What a step did, in words that can be compared. */
async function run(storage: Storage, todo: Step): Promise<unknown> {
  const outcome = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: Error) => `${error.name}: ${error.message}`);
  const stamp = (revision: number): Buffer => Buffer.from(`r${revision}`);
  switch (todo.do) {
    case 'compact':
      return outcome(storage.compact(Math.floor(storage.revision * todo.part)));
    case 'together':
      return Promise.all(todo.keys.map((name) => outcome(storage.put(name, stamp, 0))));
    case 'reopen':
      return undefined;
    default: {
      const current = (await storage.get(todo.key))?.revision ?? 0;
      const expected = { current, none: 0, wrong: current + 1 }[todo.expect];
      return outcome(todo.do === 'put' ? storage.put(todo.key, stamp, expected) : storage.delete(todo.key, expected));
    }
  }
}

/** All that can be read: every list of every revision that is kept, and all events. */
async function everything(storage: Storage): Promise<unknown> {
  const { revision, compactedRevision } = storage;
  const lists = [];
  for (let at = compactedRevision; at <= revision; at++)
    lists.push(await storage.list('/', { revision: at, limit: 3 }));
  const events: StorageEvent[] = [];
  (await storage.watch('/a', compactedRevision, (some) => events.push(...some)))();
  return { revision, compactedRevision, lists, events, keys: storage.health().keys };
}

test('LevelDB does whatever the memory store does, through compactions and reopenings', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const directory = testFolder('store');
      const open = (): Promise<LevelStorage> => LevelStorage.open({ directory, clock: new FakeClock() });
      const model = new MemoryStorage();
      let storage = await open();
      try {
        for (const todo of steps) {
          if (todo.do === 'reopen') {
            await storage.close();
            storage = await open();
          }
          assert.deepEqual(await run(storage, todo), await run(model, todo));
        }
        assert.deepEqual(await everything(storage), await everything(model));
      } finally {
        await storage.close();
        rmSync(directory, { recursive: true });
      }
    }),
    { numRuns: 40 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkTurns } from './work-turns.js';

test('what does not fit into a turn waits for one of the next, in order', async () => {
  let nowMs = 0;
  let looks = 0;
  const turns = new WorkTurns(() => nowMs);
  const done: string[] = [];
  const request = async (name: string): Promise<void> => {
    const turn = turns.next();
    if (turn) await turn;
    // Each takes half of a turn.
    nowMs += 2;
    done.push(`${name} after ${looks} looks`);
  };
  const look = (): void => {
    looks++;
    if (done.length < 5) setImmediate(look);
  };
  setImmediate(look);
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map(request));
  assert.deepEqual(
    done.map((text) => text[0]),
    ['a', 'b', 'c', 'd', 'e'],
  );
  const looksOf = (name: string): number => Number(done.find((text) => text.startsWith(name))?.split(' ')[2]);
  assert.equal(looksOf('b'), 0);
  assert.ok(looksOf('c') > looksOf('b') && looksOf('e') > looksOf('d'));
  assert.equal(looksOf('d'), looksOf('c'));
});

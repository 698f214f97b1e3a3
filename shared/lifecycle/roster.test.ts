import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Roster } from './roster.js';

describe('a roster', () => {
  it('keeps who is here in the order of their coming', () => {
    const roster = new Roster<string>();
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((item) => roster.enter(item));
    assert.ok(a && b && c && d);
    assert.deepEqual(roster.items(), ['a', 'b', 'c', 'd']);
    roster.leave(b);
    roster.leave(d);
    roster.leave(d);
    assert.deepEqual([roster.items(), roster.size, roster.first], [['a', 'c'], 2, a]);
    roster.leave(a);
    roster.enter('e');
    assert.deepEqual([roster.items(), roster.first], [['c', 'e'], c]);
    roster.leave(c);
    roster.leave(a);
    assert.deepEqual([roster.items(), roster.size], [['e'], 1]);
    roster.clear();
    assert.deepEqual([roster.items(), roster.size, roster.first], [[], 0, undefined]);
    roster.enter('f');
    assert.deepEqual(roster.items(), ['f']);
  });

  it('leaves nothing behind that refers to what came later', () => {
    const roster = new Roster<number>();
    const places = [1, 2, 3].map((item) => roster.enter(item));
    for (const place of places) roster.leave(place);
    for (const { before, after } of places) assert.deepEqual([before, after], [undefined, undefined]);
  });
});

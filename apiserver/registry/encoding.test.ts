import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hasSameEncoding } from './encoding.js';

/** JSON with sorted keys: equal texts mean equal objects. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

describe('hasSameEncoding', () => {
  it('agrees with the JSON texts, whatever the order of keys and absent values', () => {
    const leaf = fc.constantFrom<unknown>(undefined, null, 1, 'a', true);
    const keys = fc.constantFrom('x', 'y', '__proto__');
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.dictionary(keys, tie('any'), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).any;
    fc.assert(
      fc.property(fc.record({ o: value }), fc.record({ o: value }), (a, b) => {
        assert.equal(hasSameEncoding(a, b), canonical(a) === canonical(b));
      }),
      { numRuns: 2_000 },
    );
  });
});

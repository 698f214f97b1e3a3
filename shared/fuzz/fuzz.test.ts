import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeLine, tokensOf, unescapeLine } from './corpus-line.js';
import { makeCorpus } from './mutation.js';

test('a text comes back out of its line, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 50 }), (text) => {
      const line = escapeLine(text);
      assert.doesNotMatch(line, /[^\x20-\x7e]/);
      assert.equal(unescapeLine(line).toString('utf8'), text.replaceAll(/\p{Surrogate}/gu, '\ufffd'));
    }),
  );
});

test('repetitions unfold, and never without bound', () => {
  assert.equal(unescapeLine('a\\{3*bc\\}d').toString(), 'abcbcbcd');
  assert.equal(unescapeLine('\\{2*\\x00\\}').toString('hex'), '0000');
  assert.ok(unescapeLine('\\{99999999*abc\\}\\{99999999*abc\\}').length <= 4 * 1024 * 1024);
});

test('a recipe gives as many different lines as it says, and the same ones each time', () => {
  const recipe = { seeds: ['a in (b,c)', 'x=y'], words: ['notin'], count: 200 };
  const lines = makeCorpus(recipe, 1);
  assert.equal(new Set(lines).size, 200);
  assert.deepEqual(makeCorpus(recipe, 1), lines);
  assert.notDeepEqual(makeCorpus(recipe, 2), lines);
  for (const line of lines) assert.equal(tokensOf(line).join(''), line);
});

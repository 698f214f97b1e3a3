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

test('seeds of JSON are changed value by value too, so that what comes out can be read', () => {
  const seeds = ['/apis/x {"a":{"b":[1,2]},"c":"d"}'];
  const lines = makeCorpus({ seeds, words: ['a', 'spec'], count: 200, keepsJson: true }, 3);
  const readable = lines.filter((line) => {
    try {
      JSON.parse(unescapeLine(line).toString('utf8').replace('/apis/x ', ''));
      return true;
    } catch {
      return false;
    }
  });
  assert.ok(readable.length > 80, `${readable.length} of 200`);
});

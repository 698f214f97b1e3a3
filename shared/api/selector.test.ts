import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FieldSelectorError, formatFieldSelector, matchesField, parseFieldSelector } from './field-selector.js';
import { parseSelector } from './selector-parser.js';
import {
  formatLabelSelector,
  formatSelector,
  matchesSelector,
  SelectorError,
  selectorOf,
  selectorOfMap,
  type Requirement,
} from './selector.js';

test('label selectors in text form match as kubectl documents', () => {
  const labels = { app: 'web', tier: 'front', size: '10', empty: '', 'example.com/a': 'b' };
  const table: [string, boolean][] = [
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app = web , tier=front', true],
    ['app!=web', false],
    ['other!=web', true],
    ['app in (web, db)', true],
    ['app in (db)', false],
    ['app notin (db)', true],
    ['app notin (db,web)', false],
    ['other notin (x)', true],
    ['app', true],
    ['!app', false],
    ['! other', true],
    ['empty=', true],
    ['empty=,app', true],
    ['empty in ()', true],
    ['empty in (,x)', true],
    ['size>9', true],
    ['size>10', false],
    ['size<11', true],
    ['app>1', false],
    ['example.com/a=b', true],
    ['in=x', false],
  ];
  for (const [text, expected] of table) assert.equal(matchesSelector(parseSelector(text), labels), expected, text);
});

test('texts that are no selector are refused with what was found and expected', () => {
  const table: [string, string][] = [
    ['app=web,', "found '', expected: identifier after ','"],
    [',app', "found ',', expected: !, identifier, or 'end of string'"],
    ['app=web=x', "found '=', expected: ',' or 'end of string'"],
    ['app in web', "unable to parse requirement: found 'web' expected: '('"],
    ['app in (web', "unable to parse requirement: found '', expected: ',', or identifier"],
    ['app web', "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
  ];
  for (const [text, message] of table)
    assert.throws(
      () => parseSelector(text),
      (error) => error instanceof SelectorError && error.message === message,
      text,
    );
  for (const text of ['-a=b', 'a=b$', 'a/b/c=d', `${'k'.repeat(64)}=v`, 'a>x', 'x'.repeat(70_000)])
    assert.throws(() => parseSelector(text), SelectorError, text.slice(0, 80));
});

test('an absent LabelSelector selects nothing, an empty one everything', () => {
  assert.equal(matchesSelector(selectorOf(undefined), {}), false);
  assert.equal(matchesSelector(selectorOf({}), {}), true);
  assert.equal(matchesSelector(selectorOfMap({ a: 'b' }), { a: 'b', c: 'd' }), true);
});

test('a LabelSelector with expressions formats and matches', () => {
  const selector = selectorOf({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['b', 'a'] },
      { key: 'x', operator: 'DoesNotExist' },
      { key: 'e', operator: 'Exists' },
      { key: 'n', operator: 'NotIn', values: ['v'] },
    ],
  });
  assert.equal(formatSelector(selector), 'app=web,e,n notin (v),tier in (a,b),!x');
  assert.equal(matchesSelector(selector, { app: 'web', tier: 'a', e: '' }), true);
  assert.equal(matchesSelector(selector, { app: 'web', tier: 'a', e: '', x: '' }), false);
  assert.equal(formatLabelSelector(undefined), '<none>');
  assert.equal(formatLabelSelector({}), '<none>');
  assert.equal(formatLabelSelector({ matchLabels: { b: '2', a: '1' } }), 'a=1,b=2');
});

test('operators and values that do not suit are refused', () => {
  assert.throws(() => selectorOf({ matchExpressions: [{ key: 'a', operator: 'Like' }] }), SelectorError);
  assert.throws(() => selectorOf({ matchExpressions: [{ key: 'a', operator: 'In', values: [] }] }), SelectorError);
  assert.throws(
    () => selectorOf({ matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] }),
    SelectorError,
  );
});

test('a label named like a property of every object is not there by itself', () => {
  assert.equal(matchesSelector(parseSelector('constructor'), {}), false);
  assert.equal(matchesSelector(parseSelector('!toString'), {}), true);
});

const word = fc.stringMatching(/^[a-z0-9]{1,8}$/).filter((text) => text !== 'in' && text !== 'notin');
const requirement = fc.oneof(
  fc
    .tuple(word, fc.constantFrom('=' as const, '!=' as const), word)
    .map(([key, operator, value]) => ({ key, operator, values: [value] })),
  fc
    .tuple(word, fc.constantFrom('in' as const, 'notin' as const), fc.uniqueArray(word, { minLength: 1, maxLength: 3 }))
    .map(([key, operator, values]) => ({ key, operator, values: values.sort() })),
  fc
    .tuple(word, fc.constantFrom('exists' as const, '!' as const))
    .map(([key, operator]) => ({ key, operator, values: [] })),
);

test('property: a selector survives its text form', () => {
  fc.assert(
    fc.property(fc.uniqueArray(requirement, { selector: ({ key }) => key, maxLength: 4 }), (requirements) => {
      const sorted = [...requirements].sort((a, b) => (a.key < b.key ? -1 : 1)) as Requirement[];
      assert.deepEqual(parseSelector(formatSelector({ requirements: sorted })).requirements, sorted);
    }),
  );
});

test('field selectors parse, match and format', () => {
  const fields: Record<string, string> = { 'metadata.name': 'a', 'spec.nodeName': '', note: 'x,y=z\\' };
  const read = (field: string): string => fields[field] ?? '';
  const table: [string, boolean][] = [
    ['', true],
    ['metadata.name=a', true],
    ['metadata.name==a,spec.nodeName=', true],
    ['metadata.name!=a', false],
    ['spec.nodeName!=', false],
    ['note=x\\,y\\=z\\\\', true],
  ];
  for (const [text, expected] of table) {
    const requirements = parseFieldSelector(text);
    const matches = requirements.every((one) => matchesField(one, read(one.field)));
    assert.equal(matches, expected, text);
    assert.deepEqual(parseFieldSelector(formatFieldSelector(requirements)), requirements);
  }
  for (const text of ['metadata.name', 'a=b=c', 'a=\\x'])
    assert.throws(() => parseFieldSelector(text), FieldSelectorError);
});

/** A label selector read word by word, as its documentation tells it. */
function naiveMatch(text: string, labels: Readonly<Record<string, string>>): boolean {
  // A comma within parentheses belongs to its list.
  return text.split(/,(?![^(]*\))/).every((term) => {
    const [, key = '', operator = '', list = ''] = /^(\w+) (in|notin) \((.*)\)$/.exec(term) ?? [];
    const own = new Map(Object.entries(labels));
    if (operator === 'in') return own.has(key) && list.split(',').includes(own.get(key) ?? '');
    if (operator === 'notin') return !own.has(key) || !list.split(',').includes(own.get(key) ?? '');
    const [name = '', value = ''] = term.split(/!=|==|=|>|</);
    if (term.includes('!=')) return own.get(name) !== value;
    if (term.includes('=')) return own.has(name) && own.get(name) === value;
    if (term.includes('>')) return /^\d+$/.test(own.get(name) ?? '') && Number(own.get(name)) > Number(value);
    if (term.includes('<')) return /^\d+$/.test(own.get(name) ?? '') && Number(own.get(name)) < Number(value);
    return term.startsWith('!') ? !own.has(term.slice(1)) : own.has(term);
  });
}

test('property: a label selector matches what a naive reading of its text matches', () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const value = fc.constantFrom('x', 'y', '1', '2', '10');
  const number = fc.constantFrom('1', '2', '10');
  const term = fc.oneof(
    fc.tuple(key, fc.constantFrom('=', '==', '!='), value).map((parts) => parts.join('')),
    fc
      .tuple(key, fc.constantFrom('in', 'notin'), fc.array(value, { minLength: 1, maxLength: 3 }))
      .map(([name, operator, values]) => `${name} ${operator} (${values.join(',')})`),
    fc.tuple(key, fc.constantFrom('>', '<'), number).map((parts) => parts.join('')),
    fc.tuple(fc.constantFrom('', '!'), key).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(fc.array(term, { minLength: 1, maxLength: 4 }), fc.dictionary(key, value), (terms, labels) => {
      const text = terms.join(',');
      assert.equal(matchesSelector(parseSelector(text), labels), naiveMatch(text, labels), text);
    }),
    { numRuns: 1000 },
  );
});

test('property: a field selector matches what its terms say, whatever the values hold', () => {
  const field = fc.constantFrom('metadata.name', 'spec.nodeName', 'status.phase');
  const value = fc.string({ unit: fc.constantFrom('a', 'b', ',', '=', '\\', '!', '.'), maxLength: 4 });
  const term = fc.record({ field, operator: fc.constantFrom('=' as const, '!=' as const, '==' as const), value });
  fc.assert(
    fc.property(fc.array(term, { maxLength: 4 }), fc.dictionary(field, value), (terms, fields) => {
      const escaped = (text: string): string =>
        text.replaceAll('\\', '\\\\').replaceAll(',', '\\,').replaceAll('=', '\\=');
      const text = terms.map((one) => `${one.field}${one.operator}${escaped(one.value)}`).join(',');
      const read = (name: string): string => fields[name] ?? '';
      const expected = terms.every((one) => (read(one.field) === one.value) !== (one.operator === '!='));
      const matches = parseFieldSelector(text).every((one) => matchesField(one, read(one.field)));
      assert.equal(matches, expected, text);
    }),
    { numRuns: 1000 },
  );
});

test('a bound that is no number is refused as a whole requirement', () => {
  assert.throws(() => parseSelector('a>b'), {
    message:
      "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
  });
});

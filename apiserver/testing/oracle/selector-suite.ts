import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { FieldSelectorError, matchesField, parseFieldSelector } from '../../../shared/api/field-selector.js';
import { SelectorError, matchesSelector } from '../../../shared/api/selector.js';
import { parseSelector } from '../../../shared/api/selector-parser.js';
import type { Oracle } from './oracle.js';

interface Answer {
  readonly refused?: string;
  readonly matches: boolean;
}

const word = fc.constantFrom(
  'a',
  'b',
  'in',
  'notin',
  'exists',
  'x/y',
  '1',
  '-1',
  '07',
  'a.b',
  'a_b',
  '-a',
  'a-',
  'A',
  '',
);
const space = fc.constantFrom('', '', ' ');
const values = fc.array(word, { maxLength: 3 }).map((list) => `(${list.join(',')})`);
const requirement = fc.oneof(
  fc
    .tuple(word, space, fc.constantFrom('=', '==', '!=', '>', '<', '=!', '!'), space, word)
    .map((parts) => parts.join('')),
  fc
    .tuple(word, fc.constantFrom('in', 'notin', 'In', 'not in'), space, values)
    .map(([k, o, s, v]) => `${k} ${o}${s}${v}`),
  fc.tuple(fc.constantFrom('', '!', '! ', '!!'), word).map((parts) => parts.join('')),
  fc.stringMatching(/^[ab!=<>(), ]{0,6}$/),
);
const selector = fc.array(requirement, { maxLength: 3 }).map((list) => list.join(','));
const set = fc.dictionary(fc.constantFrom('a', 'b', 'x/y', 'in'), fc.constantFrom('a', 'b', '1', '10', ''), {
  noNullPrototype: true,
});
const fieldSelector = fc
  .array(
    fc.oneof(
      fc.tuple(
        fc.constantFrom('a', 'b', 'a.b'),
        fc.constantFrom('=', '==', '!=', '!', '>'),
        fc.stringMatching(/^[ab\\,=! ]{0,4}$/),
      ),
      fc.tuple(fc.constant('a'), fc.constant(''), fc.constant('')),
    ),
    { maxLength: 3 },
  )
  .map((list) => list.map((parts) => parts.join('')).join(','));

/** Selectors of labels and fields against apimachinery's. */
export function selectorSuite(oracle: () => Oracle, runs: number): void {
  const compare = async (text: string, labels: Record<string, string>, isOfFields: boolean): Promise<void> => {
    const theirs = (await oracle().ask({ ask: 'selects', selector: text, fields: isOfFields, set: labels })) as Answer;
    const ours = attempt(() =>
      isOfFields ? matchesFields(text, labels) : matchesSelector(parseSelector(text), labels),
    );
    const shown = `${JSON.stringify(text)} ${JSON.stringify(labels)}\n${ours.refused ?? ''}\n${theirs.refused ?? ''}`;
    assert.equal(ours.refused !== undefined, theirs.refused !== undefined, shown);
    // Of labels the original lists all that is wrong, here it is the first.
    if (isOfFields || theirs.refused === undefined) assert.deepEqual(ours, theirs, shown);
  };
  it('selectors of labels pick the same, or are refused alike', () =>
    fc.assert(
      fc.asyncProperty(selector, set, (text, labels) => compare(text, labels, false)),
      { numRuns: runs },
    ));
  it('selectors of fields pick the same, or are refused alike', () =>
    fc.assert(
      fc.asyncProperty(fieldSelector, set, (text, labels) => compare(text, labels, true)),
      { numRuns: runs },
    ));
}

const matchesFields = (text: string, labels: Record<string, string>): boolean =>
  parseFieldSelector(text).every((each) => matchesField(each, labels[each.field] ?? ''));

function attempt(run: () => boolean): Answer {
  try {
    return { matches: run() };
  } catch (error) {
    if (!(error instanceof SelectorError || error instanceof FieldSelectorError)) throw error;
    return { matches: false, refused: error.message };
  }
}

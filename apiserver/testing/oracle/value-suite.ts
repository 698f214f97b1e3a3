import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { canonicalQuantity, formatQuantity, parseQuantity, QuantityError } from '../../../shared/api/quantity.js';
import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
} from '../../validation/names.js';
import type { Oracle } from './oracle.js';

interface QuantityAnswer {
  readonly refused?: string;
  readonly text?: string;
  readonly canonical?: string;
  readonly nanos?: string;
}

const odd = [
  '0',
  '-0',
  '+0',
  '00',
  '.',
  '-',
  '+',
  '',
  'Gi',
  'm',
  '+1',
  '5.',
  '.5',
  '007Ki',
  '1.5Gi',
  '1e3',
  '1E3',
  '1e',
];
const quantityText = fc.oneof(
  fc.constantFrom(...odd, '8Ki', '1024Ki', '1000m', '0.5', '1.000', '100Ei', '8Ei', '10E', '0.1n', '1.5n', '-0.5Ki'),
  fc
    .tuple(
      fc.constantFrom('', '', '', '-', '+'),
      fc.stringMatching(/^0{0,2}\d{0,20}$/),
      fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{0,11}$/)),
      fc.constantFrom(
        '',
        'n',
        'u',
        'm',
        'k',
        'M',
        'G',
        'T',
        'P',
        'E',
        'Ki',
        'Mi',
        'Gi',
        'Ti',
        'Pi',
        'Ei',
        'e3',
        'e-2',
        'E+6',
        'K',
        'i',
        ' ',
      ),
    )
    .map((parts) => parts.join('')),
  fc.stringMatching(/^[-+.0-9eEinumkKMGTP ]{0,6}$/),
);

const nameText = fc.oneof(
  fc.stringMatching(/^[-a-zA-Z0-9_./]{0,8}$/),
  fc.constantFrom(
    'a'.repeat(63),
    'a'.repeat(64),
    `${'a.'.repeat(126)}a`,
    `${'a.'.repeat(127)}a`,
    'é',
    'a b',
    'a\n',
    '/',
    '/a',
    'a/',
  ),
);
const nameRules = {
  dns1123Label: isDns1123Label,
  dns1123Subdomain: isDns1123Subdomain,
  dns1035Label: isDns1035Label,
  qualifiedName: isQualifiedName,
  labelValue: isLabelValue,
};

/** What all kinds have in them, against apimachinery: quantities, and the rules for names. */
export function valueSuite(oracle: () => Oracle, runs: number): void {
  it('quantities are read, kept and written alike', () =>
    fc.assert(
      fc.asyncProperty(quantityText, async (text) => {
        const theirs = (await oracle().ask({ ask: 'quantity', text })) as QuantityAnswer;
        assert.deepEqual(read(text), theirs, JSON.stringify(text));
      }),
      { numRuns: runs },
    ));
  it('names and labels are refused for the same reasons', () =>
    fc.assert(
      fc.asyncProperty(nameText, async (text) => {
        const { pathSegment: _segment, ...theirs } = (await oracle().ask({ ask: 'name', text })) as Record<
          string,
          unknown
        >;
        const ours = Object.fromEntries(Object.entries(nameRules).map(([rule, check]) => [rule, [...check(text)]]));
        assert.deepEqual(ours, theirs, JSON.stringify(text));
      }),
      { numRuns: runs },
    ));
}

function read(text: string): QuantityAnswer {
  try {
    const quantity = parseQuantity(text);
    return { text: canonicalQuantity(text), canonical: formatQuantity(quantity), nanos: String(quantity.nanos) };
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    return { refused: error.message };
  }
}

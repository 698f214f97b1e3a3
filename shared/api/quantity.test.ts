import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  isQuantity,
  parseQuantity,
  QuantityError,
  quantityMilliValue,
  quantityValue,
} from './quantity.js';

test('texts come back in canonical form', () => {
  const table: [string, string][] = [
    ['0', '0'],
    ['0Mi', '0'],
    ['-0', '0'],
    ['1', '1'],
    // What its last digits and its length do not betray is kept as it was sent.
    ['+1', '+1'],
    ['+1000', '1k'],
    ['007Ki', '007Ki'],
    ['008Ki', '8Ki'],
    ['Gi', '0'],
    ['.', '0'],
    ['.5', '500m'],
    ['5.', '5.'],
    ['0.5', '500m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['100m', '100m'],
    ['1000', '1k'],
    ['12000', '12k'],
    ['1500', '1500'],
    ['1024', '1024'],
    ['1Ki', '1Ki'],
    ['1024Ki', '1Mi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['0.1Ki', '102400m'],
    ['1000Ki', '1000Ki'],
    ['1e3', '1e3'],
    ['1E3', '1E3'],
    ['1000E3', '1e6'],
    ['12e-3', '12e-3'],
    ['100e-1', '10'],
    ['1E', '1E'],
    ['1Ei', '1Ei'],
    ['10E', '10E'],
    ['10Ei', '9223372036854775807'],
    ['9999999999999999999999', '9999999999999999999999'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['-0.1n', '-1n'],
    ['-1Gi', '-1Gi'],
    ['1u', '1u'],
    ['1e-999999999', '1e-9'],
  ];
  for (const [text, canonical] of table) assert.equal(canonicalQuantity(text), canonical, text);
});

test('common texts are read as any other', () => {
  const suffixes = ['', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'T', 'Ti', 'constructor'];
  const counts = fc.oneof(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 1e14 }));
  const read = (text: string): unknown => {
    try {
      const quantity = parseQuantity(text);
      return [quantity, formatQuantity(quantity)];
    } catch (error) {
      return String(error);
    }
  };
  fc.assert(
    fc.property(
      fc.constantFrom('', '0'),
      counts,
      fc.constantFrom(1, 1000, 1024),
      fc.constantFrom(...suffixes),
      (...parts) => {
        const [zeros, count, factor, suffix] = parts;
        const text = `${zeros}${count * factor}${suffix}`;
        // A sign leads the long way round.
        assert.deepEqual(read(text), read(`+${text}`));
      },
    ),
  );
});

test('texts that are no quantity are refused with the reason', () => {
  const table: [string, RegExp][] = [
    ['', /must match the regular expression/],
    [' 1', /must match the regular expression/],
    ['1 Gi', /must match the regular expression/],
    ['1.2.3', /must match the regular expression/],
    ['Ei', /numeric part/],
    ['e-10', /numeric part/],
    ['1gi', /must match the regular expression/],
    ['1mi', /suffix/],
    ['1K', /suffix/],
    ['1Mi3', /suffix/],
    ['1e', /suffix/],
    ['1e+', /suffix/],
    ['9'.repeat(300), /must match the regular expression/],
  ];
  for (const [text, message] of table) {
    assert.throws(
      () => parseQuantity(text),
      (error) => error instanceof QuantityError && message.test(error.message),
      text,
    );
    assert.equal(isQuantity(text), false);
  }
});

test('values round up to whole units and thousandths', () => {
  const table: [string, number, number][] = [
    ['1', 1, 1000],
    ['1m', 1, 1],
    ['1500m', 2, 1500],
    ['-1500m', -1, -1500],
    ['100u', 1, 1],
    ['128Mi', 134217728, 134217728000],
    ['1G', 1e9, 1e12],
    ['2.5', 3, 2500],
    ['9007199254740991', 9007199254740991, 9007199254740991000],
  ];
  for (const [text, value, millis] of table) {
    assert.equal(quantityValue(text), value, text);
    assert.equal(quantityMilliValue(text), millis, text);
  }
});

test('sums keep the format of the first that is not zero', () => {
  assert.equal(addQuantities('1Gi', '512Mi'), '1536Mi');
  assert.equal(addQuantities('100m', '900m'), '1');
  assert.equal(addQuantities('0', '1Gi'), '1Gi');
  assert.equal(addQuantities('1', '-1500m'), '-500m');
  assert.ok(compareQuantities('1Gi', '1G') > 0);
  assert.equal(compareQuantities('1', '1000m'), 0);
});

const suffix = fc.constantFrom('', 'm', 'u', 'n', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'e-2');
const text = fc
  .tuple(fc.boolean(), fc.nat(1_000_000), fc.option(fc.nat(999)), suffix)
  .map(([negative, whole, fraction, unit]) => {
    return `${negative ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}${unit}`;
  });

test('property: the canonical form is a fixed point of the same amount', () => {
  fc.assert(
    fc.property(text, (given) => {
      const canonical = canonicalQuantity(given);
      assert.equal(canonicalQuantity(canonical), canonical);
      assert.equal(parseQuantity(canonical).nanos, parseQuantity(given).nanos);
    }),
  );
});

test('property: the fast path agrees with exact arithmetic', () => {
  fc.assert(
    fc.property(text, (given) => {
      const { nanos } = parseQuantity(given);
      const up = (step: bigint): number => Number(nanos / step + (nanos % step > 0n ? 1n : 0n));
      assert.equal(quantityValue(given), up(1_000_000_000n) + 0);
      assert.equal(quantityMilliValue(given), up(1_000_000n) + 0);
    }),
  );
});

test('property: adding and taking away again changes nothing', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const there = parseQuantity(addQuantities(a, b)).nanos;
      assert.equal(there, parseQuantity(a).nanos + parseQuantity(b).nanos);
      assert.equal(
        formatQuantity({ nanos: there - parseQuantity(b).nanos, format: parseQuantity(a).format }),
        formatQuantity(parseQuantity(a)),
      );
    }),
  );
});

/** The amount as a fraction of whole numbers, read by the letter. */
function rational(given: string): { over: bigint; under: bigint } {
  const [, sign = '', whole = '', fraction = '', letters = '', exponent = ''] =
    /^([+-]?)(\d*)\.?(\d*)(?:([A-Za-z]*)(?<=[eE])([-+]?\d+)|[A-Za-z]*)$/.exec(given) ?? [];
  const unit = letters === '' ? (/[A-Za-z]+$/.exec(given)?.[0] ?? '') : '';
  const binary = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].indexOf(unit) + 1;
  const decimal = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'].indexOf(unit) * 3 - 9;
  const power = (binary > 0 ? 0 : exponent === '' ? decimal : Number(exponent)) - fraction.length;
  const amount = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n) * 1024n ** BigInt(binary);
  return power >= 0
    ? { over: amount * 10n ** BigInt(power), under: 1n }
    : { over: amount, under: 10n ** BigInt(-power) };
}

/** Compares fractions by their products. */
function order(a: string, b: string): number {
  const [left, right] = [rational(a), rational(b)];
  const difference = left.over * right.under - right.over * left.under;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Of at most three digits after the point and no unit below a thousandth, so that nothing is rounded. */
const exact = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    fc.nat(99_999),
    fc.option(fc.stringMatching(/^\d{1,3}$/), { nil: '' }),
    fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'E2', 'e-2', 'e+1'),
  )
  .map(([sign, whole, fraction, unit]) => `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}${unit}`);

test('property: amounts, order, sums and canonical forms agree with fractions of whole numbers', () => {
  fc.assert(
    fc.property(exact, exact, (a, b) => {
      assert.equal(order(canonicalQuantity(a), a), 0, a);
      assert.equal(Math.sign(compareQuantities(a, b)), order(a, b), `${a} ${b}`);
      const [left, right, sum] = [a, b, addQuantities(a, b)].map(rational);
      assert.ok(left && right && sum);
      const under = left.under * right.under;
      assert.equal(sum.over * under, (left.over * right.under + right.over * left.under) * sum.under);
    }),
    { numRuns: 1000 },
  );
});

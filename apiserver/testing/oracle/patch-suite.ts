import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { StatusError } from '../../../shared/errors/status-error.js';
import { jsonMergePatch } from '../../../shared/patch/json-merge-patch.js';
import { jsonPatch } from '../../../shared/patch/json-patch.js';
import type { Oracle } from './oracle.js';

interface Answer {
  readonly document?: unknown;
  readonly refused?: string;
  readonly isBad?: boolean;
  readonly error?: string;
}
/** What a patch came to: the document, or the code of the refusal. */
type Outcome = { readonly document: unknown } | { readonly code: number };

const names = ['a', 'b', '0', '', 'x/y', '~'];
const { value, object } = fc.letrec((tie) => ({
  value: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<unknown>(null, 1, 'a', true, 1.5) },
    { weight: 2, arbitrary: tie('object') },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
  ),
  object: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 3, noNullPrototype: true }),
}));
/** Mostly paths that are there; with places before the first and behind the last, and spellings of Go's alone. */
const path = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.constantFrom('a', 'b', '0', '1', '-', '-1', '', 'x~1y', '~0'), { minLength: 1, maxLength: 3 })
      .map((tokens) => `/${tokens.join('/')}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      'a',
      'a/b',
      '/a/01',
      '/a/+1',
      '/a/-0',
      '/a/-4',
      '/a/1e0',
      '/a/9',
      '/~2',
      '//',
      '/a/ 1',
    ),
  },
);
const optional = <T>(inner: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(inner, { nil: undefined, freq: 12 });
const operation = fc.record({
  op: fc.constantFrom('add', 'add', 'remove', 'replace', 'replace', 'move', 'copy', 'test', 'test', 'merge'),
  path: optional(path),
  from: optional(path),
  value: optional(value),
});
const ofOddForm = fc.constantFrom<unknown>(
  { op: 'add', path: null, value: 1 },
  { op: 'add', path: 1, value: 1 },
  { op: 1, path: '/a', value: 1 },
  { op: null, path: '/a', value: 1 },
  { op: 'move', from: null, path: '/a' },
  { op: 'copy', from: 1, path: '/a' },
  { path: '/a' },
  {},
  null,
  1,
  [],
);
const patch = fc.array(fc.oneof({ weight: 20, arbitrary: operation }, { weight: 1, arbitrary: ofOddForm }), {
  maxLength: 4,
});

/** JSON patch and JSON merge patch against the library that the original uses. */
export function patchSuite(oracle: () => Oracle, runs: number): void {
  const compare = async (ask: 'json-patch' | 'merge', document: unknown, given: unknown): Promise<void> => {
    const answer = (await oracle().ask({ ask, document, patch: given })) as Answer;
    // Debian's version panics where it compares a null item, and where a test has no value; later ones do not.
    if (answer.error?.startsWith('panic')) return;
    const theirs = outcomeOf(answer);
    const ours = attempt(() => (ask === 'merge' ? jsonMergePatch(document, given) : jsonPatch(document, given)));
    assert.deepEqual(ours, theirs, answer.refused ?? answer.error ?? 'applied');
  };
  it('JSON patches apply to the same, or are refused alike', () =>
    fc.assert(
      fc.asyncProperty(object, patch, async (document, given) => {
        fc.pre(!isOlder(given));
        await compare('json-patch', document, given);
      }),
      { numRuns: runs },
    ));
  it('JSON merge patches give the same', () =>
    fc.assert(
      fc.asyncProperty(object, object, async (document, given) => {
        fc.pre(!hasNullItem(given));
        await compare('merge', document, given);
      }),
      { numRuns: runs },
    ));
}

function outcomeOf({ document, refused, isBad, error }: Answer): Outcome {
  assert.equal(error, undefined);
  return refused === undefined ? { document } : { code: isBad ? 400 : 422 };
}

function attempt(run: () => unknown): Outcome {
  try {
    return { document: run() };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { code: error.code };
  }
}

/** The whole document as the place of a test or a replacement: Debian's version (4.11) refuses it. */
function isOlder(given: readonly unknown[]): boolean {
  return given.some((one) => {
    const { op, path: place } = (one ?? {}) as { op?: unknown; path?: unknown };
    return place === '' && (op === 'test' || op === 'replace');
  });
}

/** Debian's version drops null items of lists, later ones keep them. */
function hasNullItem(given: unknown): boolean {
  if (typeof given !== 'object' || given === null) return false;
  if (Array.isArray(given) && given.includes(null)) return true;
  return Object.values(given).some(hasNullItem);
}

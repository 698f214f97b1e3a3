import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { ManifestError, readManifests } from '../../../shared/manifest/manifest.js';
import type { Oracle } from './oracle.js';

/** Words whose type is a matter of the reader: booleans, numbers and dates of YAML 1.1, and what only looks like such. */
const spaceless = `
  yes no Yes NO on off On OFF y n Y N true True TRUE tRUE false null Null NULL ~ nULL none "" '' 'yes' "0644"
  0 -0 +1 1 007 0644 08 0o17 0O17 0x1F 0xg 0b11 0b12 1_000 _1 1_ -0x1 00 1__0 0. 0.5 1.0 1.10 + . ..
  1.5 .5 5. -.5 1e3 1E3 1e+3 1.5e-3 1e e1 .e1 12e03 1e400 .inf -.inf .Inf +.inf .nan .NaN nan inf 1.2.3 0.1_0
  9007199254740993 18446744073709551615 18446744073709551616 -9223372036854775809 123456789012345678901234567890
  2001-01-01 2001-12-14t21:59:43.10-05:00 2001-1-1 20:30:40.5 190:20:30 22:22 1:2 = << -- a:b a'b 100m 1Gi`;
const words = [
  ...spaceless.trim().split(/\s+/),
  'a b',
  '2001-12-14 21:59:43',
  '!!str 1',
  '!!int "1"',
  '!!float 1',
  '!!bool yes',
  '!!null ""',
  '!!str yes',
  '!!binary YQ==',
  '!x 1',
  '! 1',
];
const word = fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...words) }, fc.stringMatching(/^[+.0-9eExob_]{1,6}$/));
const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c', 'x-y', "'yes'") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'yes',
      'No',
      'on',
      'OFF',
      'y',
      'n',
      'true',
      '1',
      '007',
      '0x1F',
      '1.5',
      '0.1',
      '1e3',
      '2001-01-01',
    ),
  },
);

const { document } = fc.letrec<{ document: string; flow: string; block: string[] }>((tie) => ({
  flow: fc.oneof(
    { weight: 5, arbitrary: word },
    fc.array(tie('flow'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc
      .array(fc.tuple(key, tie('flow')), { maxLength: 3 })
      .map((pairs) => `{${pairs.map(([k, v]) => `${k}: ${v}`).join(', ')}}`),
  ),
  block: fc.oneof(
    { maxDepth: 4 },
    { weight: 4, arbitrary: tie('flow').map((text) => [text]) },
    fc
      .array(fc.tuple(key, tie('block')), { minLength: 1, maxLength: 3 })
      .map((pairs) =>
        pairs.flatMap(([k, lines]) => (lines.length === 1 ? [`${k}: ${lines[0]}`] : [`${k}:`, ...indented(lines)])),
      ),
    fc
      .array(tie('block'), { minLength: 1, maxLength: 3 })
      .map((items) => items.flatMap(([first = '', ...rest]) => [`- ${first}`, ...indented(rest)])),
    fc.constantFrom<string[]>(
      ['|', '  one', '  two'],
      ['>-', '  one', '  two', '', '  three'],
      ['|+', '  one', ''],
      ['# a comment', 'a: 1 # another', 'b: "x # y"'],
      ['a: &x {b: 1}', 'c: *x'],
      ['a: &x {b: 1, c: 2}', 'd:', '  <<: *x', '  c: 3'],
      ['a: "\\u00e9\\x41\\t\\/"', "b: 'it''s'"],
      ['? a', ': 1', '? b', ': 2'],
      ['a:', '- 1', '- 2'],
      ['"a": 1', "'b': 2"],
      ['{"a": [1, "x", null, true], "b": {"c": 1.5e3}}'],
    ),
  ),
  document: tie('block').map((lines) => `${lines.join('\n')}\n`),
}));
const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

interface Answer {
  readonly document?: unknown;
  readonly refused?: string;
  readonly error?: string;
}

/** The YAML that kubectl and the server read, against sigs.k8s.io/yaml, with which both do in the original. */
export function manifestSuite(oracle: () => Oracle, runs: number): void {
  it('words have the types that kubectl gives them', async () => {
    for (const one of words) await compare(oracle(), `a: ${one}\n`);
  });
  it('documents become the same JSON', () =>
    fc.assert(
      fc.asyncProperty(document, (text) => compare(oracle(), text)),
      { numRuns: runs },
    ));
}

async function compare(oracle: Oracle, text: string): Promise<void> {
  const { document: expected, refused, error } = (await oracle.ask({ ask: 'yaml', text })) as Answer;
  const ours = read(text);
  if (refused !== undefined || error !== undefined) return;
  assert.ok('value' in ours, `${text}refused here, not by the original: ${'refused' in ours ? ours.refused : ''}`);
  assert.deepEqual(ours.value, expected, text);
}

function read(text: string): { readonly value: unknown } | { readonly refused: string } {
  try {
    return { value: readManifests(text, { onDuplicate: () => undefined })[0]?.value ?? null };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return { refused: error.reason };
  }
}

/** Sets of completion indexes as text: `1,3-5,7`. */

/** Why a text is no set of indexes; the sentences are the original's. */
class IndexesError extends Error {
  override readonly name = 'IndexesError';
}

/** How many indexes the text names. Throws {@link IndexesError}. */
export function countIndexes(text: string, completions: number): number {
  let total = 0;
  let last: number | undefined;
  for (const [first, end] of intervals(text, completions)) {
    if (last !== undefined && last >= first)
      throw new IndexesError(`non-increasing order, previous: ${last}, current: ${first}`);
    total += end - first + 1;
    last = end;
  }
  return total;
}

/** The sentence of a text that is no set of indexes. */
export function indexesProblem(text: string, completions: number): string | undefined {
  try {
    countIndexes(text, completions);
    return undefined;
  } catch (error) {
    if (error instanceof IndexesError) return error.message;
    throw error;
  }
}

/** The first index that two good, ordered sets share. */
export function sharedIndex(a: string, b: string, completions: number): number | undefined {
  const [left, right] = [[...intervals(a, completions)], [...intervals(b, completions)]];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    const [[aFirst, aEnd], [bFirst, bEnd]] = [left[i] ?? [0, 0], right[j] ?? [0, 0]];
    if (aFirst <= bEnd && bFirst <= aEnd) return Math.max(aFirst, bFirst);
    if (aFirst <= bFirst) i++;
    else j++;
  }
  return undefined;
}

function* intervals(text: string, completions: number): Generator<[first: number, end: number]> {
  if (text === '') return;
  for (const interval of text.split(',')) {
    const limits = interval.split('-');
    if (limits.length > 2)
      throw new IndexesError(
        `the fragment ${JSON.stringify(interval)} violates the requirement that an index interval can have at most two parts separated by '-'`,
      );
    const first = parseIndex(limits[0] ?? '', completions);
    if (limits.length === 1) {
      yield [first, first];
      continue;
    }
    const end = parseIndex(limits[1] ?? '', completions);
    if (first >= end) throw new IndexesError(`non-increasing order, previous: ${first}, current: ${end}`);
    yield [first, end];
  }
}

function parseIndex(text: string, completions: number): number {
  if (!/^[+]?\d{1,15}$/.test(text))
    throw new IndexesError(`cannot convert string to integer for index: ${JSON.stringify(text)}`);
  const index = Number(text);
  if (index >= completions) throw new IndexesError(`too large index: ${JSON.stringify(text)}`);
  return index;
}

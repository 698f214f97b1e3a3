const NONE: ReadonlySet<number> = new Set();

/** The indexes of values that were there before, in one pass: lists come from clients and may be long. */
export function repeats(values: readonly string[]): ReadonlySet<number> {
  if (values.length < 2) return NONE;
  const seen = new Set<string>();
  const found = new Set<number>();
  let index = 0;
  for (const value of values) {
    if (seen.has(value)) found.add(index);
    seen.add(value);
    index++;
  }
  return found;
}

/**
 * Reads a boolean from the query of a request as the API does: only `false`, `0` and the absence of the name are false. A
 * name without a value is true, and so is the `True` that Python writes.
 */
export function isQueryFlagSet(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** A setting from the environment that must be a whole number within bounds; throws a sentence that names the variable. */
export function integerSetting(
  environment: NodeJS.ProcessEnv,
  name: string,
  fallback: number,
  bounds: { minimum: number; maximum: number },
): number {
  const text = environment[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < bounds.minimum || value > bounds.maximum) {
    throw new Error(`${name}=${text} must be a whole number from ${bounds.minimum} to ${bounds.maximum}`);
  }
  return value;
}

/** A comma-separated setting from the environment, trimmed, without empty entries. */
export function listSetting(environment: NodeJS.ProcessEnv, name: string, fallback: readonly string[]): string[] {
  const text = environment[name];
  if (text === undefined) return [...fallback];
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** A flag of the server, as its command line is built of. */
export interface FlagDefinition {
  readonly flags: string;
  readonly description: string;
  readonly parse?: (text: string, before: unknown) => unknown;
  readonly default?: unknown;
}

/** `30s`, `2m`, `1h30m`: in milliseconds. */
export function duration(text: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  if (text === '0') return 0;
  if (!/^(\d+(ms|s|m|h))+$/.test(text)) throw new Error(`${text} is not a duration such as 2m or 30s`);
  let total = 0;
  for (const [, amount, unit = 's'] of text.matchAll(/(\d+)(ms|s|m|h)/g)) total += Number(amount) * (units[unit] ?? 0);
  return total;
}

/** `true` and `false`, as Go reads them. */
export function truth(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Error(`${text} is neither true nor false`);
  return text === 'true';
}

/** A number that is not negative. */
export function count(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${text} is not a number`);
  return Number(text);
}

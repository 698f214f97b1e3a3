export type IntOrString = number | string;

/** The value is neither a number nor a percentage. */
export class IntOrStringError extends Error {
  override readonly name = 'IntOrStringError';
}

/** The percentage that the value states, undefined for a number. @throws IntOrStringError */
function percentOf(value: IntOrString): number | undefined {
  if (typeof value === 'number') return undefined;
  const match = /^([0-9]{1,9})%$/.exec(value);
  if (match === null)
    throw new IntOrStringError(`invalid value for IntOrString: invalid type: string is not a percentage: "${value}"`);
  return Number(match[1]);
}

/** A number as it is, a percentage of `total` rounded as asked. @throws IntOrStringError */
export function resolveIntOrPercent(value: IntOrString, total: number, rounding: 'up' | 'down'): number {
  const percent = percentOf(value);
  if (percent === undefined) return value as number;
  const exact = (percent * total) / 100;
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact);
}

import type { PriorityLevelConfigurationSpec } from '../../shared/api/generated/types.js';

/** Seats of one priority level. */
export interface LevelLimits {
  /** Its share of the server. */
  readonly nominal: number;
  /** What is left when it has lent all that it may. */
  readonly lower: number;
  /** What it has when it has borrowed all that it may. */
  readonly upper: number;
}

/** Divides the server's seats among the levels by their shares. */
export function levelLimits(
  specs: ReadonlyMap<string, PriorityLevelConfigurationSpec>,
  serverSeats: number,
): Map<string, LevelLimits> {
  let sum = 0;
  for (const spec of specs.values()) sum += sharesOf(spec);
  const limits = new Map<string, LevelLimits>();
  for (const [name, spec] of specs) {
    const nominal = sum === 0 ? 0 : Math.ceil((serverSeats * sharesOf(spec)) / sum);
    const { lendablePercent = 0 } = (spec.type === 'Exempt' ? spec.exempt : spec.limited) ?? {};
    const borrowing = spec.limited?.borrowingLimitPercent;
    const upper = borrowing === undefined ? serverSeats : nominal + Math.round((nominal * borrowing) / 100);
    limits.set(name, { nominal, lower: nominal - Math.round((nominal * lendablePercent) / 100), upper });
  }
  return limits;
}

const sharesOf = ({ type, exempt, limited }: PriorityLevelConfigurationSpec): number =>
  (type === 'Exempt' ? exempt?.nominalConcurrencyShares : limited?.nominalConcurrencyShares) ?? 0;

/** What one level should have of a sum: near its target, between its bounds. */
export interface Claim {
  readonly lower: number;
  readonly upper: number;
  readonly target: number;
}

const minTarget = 0.001;
const rounds = 60;

/**
 * Divides `total` so that everybody gets the same fraction of what he aims at, as far as the bounds let him. Where the lower
 * bounds alone exceed the total everybody gets his lower bound.
 */
export function allocate(total: number, claims: readonly Claim[]): number[] {
  const given = (fraction: number): number[] =>
    claims.map(({ lower, upper, target }) =>
      Math.min(Math.max(fraction * Math.max(target, minTarget), lower), Math.max(lower, upper)),
    );
  const sumOf = (fraction: number): number => given(fraction).reduce((sum, seats) => sum + seats, 0);
  if (claims.length === 0 || sumOf(0) >= total) return given(0);
  let low = 0;
  let high = Math.max(total, 1) / minTarget;
  if (sumOf(high) <= total) return given(high);
  for (let round = 0; round < rounds; round++) {
    const middle = (low + high) / 2;
    if (sumOf(middle) > total) high = middle;
    else low = middle;
  }
  return given(low);
}

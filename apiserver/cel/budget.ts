import { CelBudgetError } from './errors.js';

/** The original's limit for one expression, in units of about one step of evaluation: well below a tenth of a second. */
export const perCallCostLimit = 1_000_000;
/** All match conditions of one webhook or policy, as in the original. */
export const matchConditionsCostLimit = 2_500_000;
/** All expressions of one request. The original's is 10,000,000; here they would stop everybody else for half a second. */
export const requestCostLimit = 3_000_000;

/** What evaluations may still cost. A budget may draw on a bigger one that several evaluations share. */
export class Budget {
  #left: number;
  readonly #shared: Budget | undefined;

  constructor(limit: number, shared?: Budget) {
    this.#left = limit;
    this.#shared = shared;
  }

  get left(): number {
    return this.#shared ? Math.min(this.#left, this.#shared.left) : this.#left;
  }

  /** @throws CelBudgetError */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new CelBudgetError();
    this.#shared?.spend(units);
  }
}

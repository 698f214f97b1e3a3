/** How many seats a priority level wanted during a period: those that it used and those that its queues waited for. */
export interface DemandSummary {
  readonly average: number;
  readonly standardDeviation: number;
  readonly highest: number;
}

/** Integrates the demand of one level over time. */
export class SeatDemand {
  #value = 0;
  #highest = 0;
  #sinceMs: number;
  #changedMs: number;
  #sum = 0;
  #sumOfSquares = 0;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#changedMs = nowMs;
  }

  get current(): number {
    return this.#value;
  }

  set(value: number, nowMs: number): void {
    this.#integrate(nowMs);
    this.#value = value;
    if (value > this.#highest) this.#highest = value;
  }

  /** What was wanted since the last call; a new period begins. */
  summarize(nowMs: number): DemandSummary {
    this.#integrate(nowMs);
    const elapsed = nowMs - this.#sinceMs;
    const average = elapsed > 0 ? this.#sum / elapsed : this.#value;
    const variance = elapsed > 0 ? this.#sumOfSquares / elapsed - average * average : 0;
    const summary = { average, standardDeviation: Math.sqrt(Math.max(0, variance)), highest: this.#highest };
    this.#sinceMs = nowMs;
    this.#sum = 0;
    this.#sumOfSquares = 0;
    this.#highest = this.#value;
    return summary;
  }

  #integrate(nowMs: number): void {
    const elapsed = nowMs - this.#changedMs;
    this.#changedMs = nowMs;
    this.#sum += this.#value * elapsed;
    this.#sumOfSquares += this.#value * this.#value * elapsed;
  }
}

import type { Attributes, Authorizer, Decision } from '../../authorization/authorizer.js';

/** Answers the questions of expressions at once. */
export interface Decisions {
  /** Throws a {@link DecisionFailure} where nobody knows. */
  decide(attributes: Attributes): Decision;
}

/** The authorizer could not decide. */
export class DecisionFailure extends Error {
  override readonly name = 'DecisionFailure';
}

/** Somebody outside has been asked; an expression cannot wait, so it is given up and run again with the answer. */
class PendingDecision extends Error {
  override readonly name = 'PendingDecision';
  readonly settled: Promise<void>;

  constructor(settled: Promise<void>) {
    super('a decision is awaited');
    this.settled = settled;
  }
}

/** What was decided since the request came: however often an expression runs, each question is asked once. */
export class RememberedDecisions implements Decisions {
  readonly #authorizer: Pick<Authorizer, 'authorize'>;
  readonly #known = new Map<string, Decision | DecisionFailure>();

  constructor(authorizer: Pick<Authorizer, 'authorize'>) {
    this.#authorizer = authorizer;
  }

  decide(attributes: Attributes): Decision {
    const key = this.#known.size > 0 ? JSON.stringify(attributes) : '';
    const known = this.#known.get(key);
    if (known instanceof DecisionFailure) throw known;
    if (known) return known;
    const decision = this.#authorizer.authorize(attributes);
    if (!(decision instanceof Promise)) return decision;
    throw new PendingDecision(this.#remember(JSON.stringify(attributes), decision));
  }

  /**
   * Runs what asks these decisions, again and again until each of its questions is answered. At once, unless somebody
   * outside has to be asked. `evaluate` must bear being run again: what it has done before stays done.
   */
  run<T>(evaluate: () => T): T | Promise<T> {
    try {
      return evaluate();
    } catch (error) {
      if (!(error instanceof PendingDecision)) throw error;
      return runAgain(error, evaluate);
    }
  }

  async #remember(key: string, decision: Promise<Decision>): Promise<void> {
    try {
      this.#known.set(key, await decision);
    } catch (error) {
      this.#known.set(key, new DecisionFailure(error instanceof Error ? error.message : String(error)));
    }
  }
}

/** As {@link RememberedDecisions.run}, for what is evaluated once. */
export function withDecisions<T>(
  authorizer: Pick<Authorizer, 'authorize'>,
  evaluate: (decisions: Decisions) => T,
): T | Promise<T> {
  const decisions = new RememberedDecisions(authorizer);
  return decisions.run(() => evaluate(decisions));
}

/** The budget of expressions ends long before. */
const maxRuns = 1_000;

async function runAgain<T>(pending: PendingDecision, evaluate: () => T): Promise<T> {
  let { settled } = pending;
  for (let run = 0; run < maxRuns; run++) {
    await settled;
    try {
      return evaluate();
    } catch (error) {
      if (!(error instanceof PendingDecision)) throw error;
      ({ settled } = error);
    }
  }
  throw new Error('expressions ask the authorizer without end');
}

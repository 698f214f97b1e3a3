import { pause, type Clock } from '../../../shared/clock/clock.js';
import type { Log } from '../log.js';
import type { ModelClient } from './model-client.js';
import type { ModelContract } from './model-contract.js';

const RETRY_MS = 1_000;
const REFRESH_MS = 30_000;

/** Learns the model's contract as soon as a model server answers, and again now and then, as models get replaced. */
export class ContractWatch {
  #contract: ModelContract | undefined;

  /** The contract last learnt; kept when the model server goes away, as its successor will most likely have it too. */
  get contract(): ModelContract | undefined {
    return this.#contract;
  }

  /** Runs until the signal aborts. */
  async run(options: { client: ModelClient; clock: Clock; log: Log; signal: AbortSignal }): Promise<void> {
    const { client, clock, log, signal } = options;
    let lastProblem = '';
    while (!signal.aborted) {
      try {
        const contract = await client.learnContract(signal);
        if (JSON.stringify(contract) !== JSON.stringify(this.#contract)) log('model learnt', { ...contract });
        this.#contract = contract;
        lastProblem = '';
      } catch (error) {
        if (signal.aborted) return;
        const problem = error instanceof Error ? error.message : String(error);
        if (problem !== lastProblem) log('model not learnt', { reason: problem });
        lastProblem = problem;
      }
      await pause(clock, lastProblem === '' ? REFRESH_MS : RETRY_MS, signal);
    }
  }
}

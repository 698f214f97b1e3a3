/** Outcome of one reconcile: nothing more to do, or look again after a while. */
export interface ReconcileResult {
  readonly requeueAfterMs?: number;
}
/**
 * Brings one object nearer to what it asks for. Level-driven and idempotent: reads the cache, writes the API, keeps no state
 * that a restart would miss. Throwing means: retry with back-off; TerminalError means: report, do not retry.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | void>;

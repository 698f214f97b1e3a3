/** The only source of time and timers; a fake one drives tests and simulation. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a monotonic clock; for durations. */
  monotonic(): number;
  /** Runs `callback` once after `delayMs`; the returned function cancels it and may be called again without effect. */
  schedule(delayMs: number, callback: () => void): () => void;
  /** Resolves after `delayMs`; rejects with the signal's reason (an AbortError) as soon as it is aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** The clock of the machine. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule: (delayMs: number, callback: () => void) => {
    // Node turns a delay above 2^31-1 into 1 ms.
    const timer = setTimeout(callback, Math.min(delayMs, 0x7fffffff));
    return () => clearTimeout(timer);
  },
  sleep: (delayMs: number, signal?: AbortSignal) => sleepOn(systemClock, delayMs, signal),
});

/** `sleep` in terms of `schedule`, for implementations of {@link Clock}. */
export function sleepOn(clock: Pick<Clock, 'schedule'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.schedule(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Sleeps in a loop that looks at the signal itself: an abort ends the pause like the end of its time. */
export async function pause(clock: Pick<Clock, 'sleep'>, delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(delayMs, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Polls `probe` until it returns without throwing, or rethrows its last error after `timeoutMs`, which a busy machine must not reach. For tests. */
export async function eventually<T>(probe: () => T | Promise<T>, timeoutMs = 20_000, intervalMs = 10): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, intervalMs));
    }
  }
}

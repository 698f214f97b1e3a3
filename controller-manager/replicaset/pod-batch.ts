/**
 * Runs `attempt` `count` times in batches of 1, 2, 4, 8 ...: when the API refuses (a quota, say), it refuses few times.
 * After a batch with a failure no further one is started. Returns how many succeeded, and the first failure.
 */
export async function slowStart(
  count: number,
  attempt: (index: number) => Promise<void>,
): Promise<{ succeeded: number; failure: unknown }> {
  let succeeded = 0;
  let started = 0;
  for (let size = 1; started < count; size *= 2) {
    const batch = Array.from({ length: Math.min(size, count - started) }, (_, i) => attempt(started + i));
    started += batch.length;
    const results = await Promise.allSettled(batch);
    const failures = results.filter((result) => result.status === 'rejected');
    succeeded += batch.length - failures.length;
    if (failures[0]) return { succeeded, failure: failures[0].reason as unknown };
  }
  return { succeeded, failure: undefined };
}

/** For how long one piece of work may keep the event loop from everybody else. */
const sliceMs = 10;

/** Runs work that yields between its steps, and lets others have their turn after each slice of some milliseconds. */
export async function inSlices<T>(work: Generator<void, T>): Promise<T> {
  for (;;) {
    const untilMs = performance.now() + sliceMs;
    do {
      const step = work.next();
      if (step.done) return step.value;
    } while (performance.now() < untilMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** `items.map(map)`, {@link inSlices}. */
export function mapInSlices<T, R>(items: readonly T[], map: (item: T) => R): Promise<R[]> {
  return inSlices(mapping(items, map));
}

function* mapping<T, R>(items: readonly T[], map: (item: T) => R): Generator<void, R[]> {
  const mapped: R[] = [];
  for (const item of items) {
    mapped.push(map(item));
    yield;
  }
  return mapped;
}

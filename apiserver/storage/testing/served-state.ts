import type { Storage, StorageEvent } from '../storage.js';

/** What a store holds, as values that can be sent. */
export interface ServedState {
  readonly items: readonly (readonly [key: string, value: string, revision: number])[];
  readonly events: readonly string[];
}

export async function stateOf(storage: Storage): Promise<ServedState> {
  const items = (await storage.list('/')).items.map(
    ({ key, value, revision }) => [key, value.toString(), revision] as const,
  );
  const events: StorageEvent[] = [];
  await storage.watch('/', 0, (some) => events.push(...some));
  return { items, events: events.map(({ value }) => value.toString()) };
}

import { StorageConflictError, type Storage, type StoredValue } from './storage.js';

export interface GuaranteedUpdateOptions {
  /** What the caller believes is stored (its cache's copy): saves the first read. A stale one costs one more round. */
  readonly suggestion?: StoredValue;
  /** How often the write may lose against another one before the conflict is reported. Default 16. */
  readonly maxAttempts?: number;
}

/**
 * Reads, changes and writes one key, again when another write came in between.
 *
 * `mutate` gets what is stored (undefined when there is nothing) and returns the encoder of the new bytes, or undefined to
 * leave the key as it is. It may run several times and must be pure. The returned value is the one that is stored
 * afterwards. Throws what `mutate` throws (once it was given fresh data, never for a stale suggestion), and StorageConflictError
 * after `maxAttempts`.
 */
export async function guaranteedUpdate(
  storage: Storage,
  key: string,
  mutate: (current: StoredValue | undefined) => ((revision: number) => Buffer) | undefined,
  options: GuaranteedUpdateOptions = {},
): Promise<StoredValue | undefined> {
  const { suggestion, maxAttempts = 16 } = options;
  let isFresh = suggestion === undefined;
  let current = suggestion ?? (await storage.get(key));
  for (let attempt = 1; ; attempt++) {
    try {
      const encode = mutate(current);
      if (!encode && (isFresh || current?.revision === (await storage.get(key))?.revision)) return current;
      if (encode) return await storage.put(key, encode, current?.revision ?? 0);
      current = await storage.get(key);
    } catch (error) {
      if (error instanceof StorageConflictError) {
        if (attempt >= maxAttempts) throw error;
        current = error.current;
      } else if (isFresh) throw error;
      else current = await storage.get(key);
    }
    isFresh = true;
  }
}

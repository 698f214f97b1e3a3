import { rmSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { systemClock } from '../../../shared/clock/clock.js';
import { testFolder } from '../../testing/test-folder.js';
import { LevelStorage, type LevelStorageOptions } from '../level-storage.js';

/** A folder for a store, until the test is over. */
export function place(t: TestContext): string {
  const directory = testFolder('store');
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A store that is closed when the test is over. */
export async function opened(
  t: TestContext,
  options: Partial<LevelStorageOptions> & { directory: string },
): Promise<LevelStorage> {
  const storage = await LevelStorage.open({ clock: systemClock, ...options });
  t.after(() => storage.close());
  return storage;
}

/** Encodes a value that tells its revision. */
export const stamped = (revision: number): Buffer => Buffer.from(`value of ${revision}`);

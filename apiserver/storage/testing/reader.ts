// Opens the store that it is told of and says whether it serves a state: "true", or "false" when the store says that it cannot.
// A process of its own, since LevelDB itself ends a process for some kinds of damage. Answers "lie" for anything else.
import { isDeepStrictEqual } from 'node:util';
import { FakeClock } from '../../../shared/clock/fake-clock.js';
import { LevelStorage } from '../level-storage.js';
import { stateOf, type ServedState } from './served-state.js';

export interface ReadingRequest {
  readonly directory: string;
  readonly truth: ServedState;
}

export type ReadingAnswer = { readonly serves: boolean } | { readonly lie: string };

async function read({ directory, truth }: ReadingRequest): Promise<ReadingAnswer> {
  let storage: LevelStorage | undefined;
  try {
    storage = await LevelStorage.open({ directory, clock: new FakeClock() });
    const state = await stateOf(storage);
    return isDeepStrictEqual(state, truth) ? { serves: true } : { lie: JSON.stringify(state) };
  } catch (error) {
    const { mode } = storage?.health() ?? { mode: 'read-only' };
    return mode === 'read-only' ? { serves: false } : { lie: `${mode} after ${String(error)}` };
  } finally {
    await storage?.close();
  }
}

process.on('message', (request: ReadingRequest) => {
  void read(request).then((answer) => process.send?.(answer));
});

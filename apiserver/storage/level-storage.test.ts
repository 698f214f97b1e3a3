import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock/clock.js';
import { LevelStorage } from './level-storage.js';
import { storageSuite } from './storage-suite.js';

storageSuite('LevelDB', (cleanup) => {
  const directory = mkdtempSync(join(tmpdir(), 'knarr-store-'));
  cleanup(() => rmSync(directory, { recursive: true }));
  return LevelStorage.open({ directory, clock: systemClock });
});

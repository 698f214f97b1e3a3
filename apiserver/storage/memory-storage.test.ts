import { MemoryStorage } from './memory-storage.js';
import { storageSuite } from './storage-suite.js';

storageSuite('memory', async () => new MemoryStorage());

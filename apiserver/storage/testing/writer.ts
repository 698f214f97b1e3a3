// Writes to a store until it is killed, and says on standard output what was acknowledged: `ack KEY REVISION`, `refused REASON`.
//   node writer.js DIRECTORY PREFIX
import { writeSync } from 'node:fs';
import { systemClock } from '../../../shared/clock/clock.js';
import { LevelStorage } from '../level-storage.js';

const [directory = '', prefix = ''] = process.argv.slice(2);
const storage = await LevelStorage.open({ directory, clock: systemClock });
const say = (line: string): void => void writeSync(1, `${line}\n`);
say('open');

async function write(writer: number): Promise<void> {
  for (let i = 0; ; i++) {
    const key = `${prefix}${writer}/${i}`;
    try {
      const { revision } = await storage.put(key, (at) => Buffer.from(`${key} ${at} ${'x'.repeat(1000)}`), 0);
      say(`ack ${key} ${revision}`);
      if (i % 5 === 4) await count(writer);
    } catch (error) {
      say(`refused ${(error as Error).message}`);
      await systemClock.sleep(50);
    }
  }
}

/** One key of each writer is written over and over. */
async function count(writer: number): Promise<void> {
  const key = `${prefix}${writer}/last`;
  const before = (await storage.get(key))?.revision ?? 0;
  const { revision } = await storage.put(key, (at) => Buffer.from(`${key} ${at} ${'x'.repeat(1000)}`), before);
  say(`ack ${key} ${revision}`);
}

await Promise.all([0, 1, 2, 3].map(write));

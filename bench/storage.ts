import { LevelStorage } from '../apiserver/storage/level-storage.js';
import type { Storage } from '../apiserver/storage/storage.js';
import { systemClock } from '../shared/clock/clock.js';
import { samplePod } from './calibration.js';
import { percentile, perSecond, pool, timed, type Figure, type MeasureContext } from './figure.js';

const objects = 30_000;

/** The store alone: synced writes, syncs a write, opening and listing with 30,000 objects of 3.2 KB. */
export async function measures({ directory, say }: MeasureContext): Promise<readonly Figure[]> {
  const open = (): Promise<LevelStorage> => LevelStorage.open({ directory: `${directory}/store`, clock: systemClock });
  const value = Buffer.from(JSON.stringify(samplePod()));
  const storage = await open();
  say(`storage: ${objects} objects of ${value.length} bytes`);
  const create = (count: number, width: number, name: string): Promise<Figure[]> =>
    writes(storage, name, { count, width }, (i) => storage.put(`/registry/core/pods/${width}/${i}`, () => value, 0));
  const figures = [
    ...(await create(1000, 1, 'storage: synced writes, one by one')),
    ...(await create(objects - 1000, 300, 'storage: synced writes, 300 in flight')),
  ];
  await storage.close();
  const [openMs, reopened] = await timed(open);
  const [listMs, page] = await timed(() => reopened.list('/registry/'));
  const [pageMs] = await timed(() => reopened.list('/registry/', { limit: 500 }));
  if (page.items.length !== objects) throw new Error(`${page.items.length} of ${objects} objects are there`);
  await reopened.close();
  return [
    ...figures,
    { measure: 'storage: open with 30,000 objects', value: openMs, unit: 'ms' },
    { measure: 'storage: list 30,000 objects', value: listMs, unit: 'ms' },
    { measure: 'storage: list, limit 500', value: pageMs, unit: 'ms' },
  ];
}

async function writes(
  storage: Storage,
  name: string,
  load: { count: number; width: number },
  write: (index: number) => Promise<unknown>,
): Promise<Figure[]> {
  const before = storage.health();
  const [elapsedMs, latencies] = await timed(() => pool(load.count, load.width, write));
  const after = storage.health();
  const syncs = (after.commits - before.commits) / (after.writes - before.writes);
  const details = { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
  return [
    { measure: name, value: perSecond(load.count, elapsedMs), unit: '/s', details },
    { measure: `${name}, syncs a write`, value: syncs, unit: '' },
  ];
}

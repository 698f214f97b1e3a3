// npm run bench [-- --only storage,...]: calibrates the machine, measures, compares with the original, writes dist/bench-results/.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { calibrate } from './calibration.js';
import { compare, formatTable, readOriginal, type Compared } from './comparison.js';
import type { Calibration, Measures } from './figure.js';

/** A further file with measures is one line here. */
const catalog: Readonly<Record<string, () => Promise<{ measures: Measures }>>> = {
  storage: () => import('./storage.js'),
  api: () => import('./api.js'),
  collections: () => import('./collections.js'),
  publication: () => import('./publication.js'),
  stalls: () => import('./stalls.js'),
  scheduling: () => import('./scheduling.js'),
  inference: () => import('./inference.js'),
  'kube-proxy': () => import('./kube-proxy.js'),
  dns: () => import('./dns.js'),
  up: () => import('./up.js'),
  'pod-start': () => import('./pod-start.js'),
};

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function run(names: readonly string[], results: string): Promise<void> {
  mkdirSync(results, { recursive: true });
  // Not under /tmp: that is often memory, where a sync costs nothing.
  const directory = mkdtempSync(join(results, 'work-'));
  try {
    say('calibrating');
    const calibration = await calibrate(directory);
    const original = readOriginal(join(process.cwd(), 'bench/original.json'));
    const rows: Compared[] = [];
    for (const name of names) {
      say(name);
      const place = join(directory, name);
      mkdirSync(place);
      const group = await catalog[name]?.();
      for (const figure of (await group?.measures({ directory: place, calibration, say })) ?? [])
        rows.push(compare(figure, original, calibration));
    }
    console.log(`\n${describeLimits(calibration, original.calibration)}\n\n${formatTable(rows)}`);
    const file = join(results, `${new Date().toISOString().replaceAll(':', '-')}.json`);
    const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model };
    writeFileSync(file, `${JSON.stringify({ machine, calibration, figures: rows }, undefined, 2)}\n`);
    say(`\nwritten to ${file}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The calibration, beside that of the machine on which the original was measured. */
function describeLimits(here: Calibration, there: Calibration): string {
  const names = Object.keys(here) as (keyof Calibration)[];
  return formatTable(
    names.map((name) => ({
      measure: `limit: ${name.replace('PerSecond', '')}`,
      value: here[name],
      unit: '/s',
      original: there[name],
      ratio: here[name] / there[name],
    })),
  ).replace('ORIGINAL (SCALED)', "ORIGINAL'S MACHINE");
}

const { values } = parseArgs({ options: { only: { type: 'string' }, results: { type: 'string' } } });
const names = values.only?.split(',') ?? Object.keys(catalog);
const unknown = names.find((name) => !(name in catalog));
if (unknown === undefined) await run(names, values.results ?? join(process.cwd(), 'dist/bench-results'));
else {
  say(`there is no measure ${JSON.stringify(unknown)}; known are ${Object.keys(catalog).join(', ')}`);
  process.exitCode = 1;
}

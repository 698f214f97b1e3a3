import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The folder of the tables about all built-in types: the nearest above `from`. A bundle has them in a `data` folder beside it; the
 * source tree and `dist` have them in `shared/api`.
 */
export function dataDirectory(from: string = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = from; ; folder = dirname(folder)) {
    for (const candidate of [join(folder, 'data'), join(folder, 'shared/api/generated')]) {
      if (existsSync(join(candidate, 'schemas.json'))) return candidate;
    }
    if (folder === dirname(folder)) throw new Error(`schemas.json was not found above ${from}; run npm run generate`);
  }
}

/** Reads one of the tables; facts lie beside the generated files or in the neighbouring `data` folder. */
export function readData(directory: string, name: string): unknown {
  const file = [join(directory, name), join(dirname(directory), 'data', name)].find((path) => existsSync(path));
  if (file === undefined) throw new Error(`${name} was not found in ${directory}`);
  return JSON.parse(readFileSync(file, 'utf8')) as unknown;
}

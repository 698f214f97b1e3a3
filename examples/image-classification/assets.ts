import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Finds a file or folder that lies beside a module's source.
 *
 * The compiler copies no assets into dist/, so a module that runs from dist/ looks beside its source; a bundle in an
 * image has its assets beside itself.
 */
export function assetPath(moduleUrl: string, name: string): string {
  const folder = fileURLToPath(new URL('.', moduleUrl));
  const beside = join(folder, name);
  if (existsSync(beside)) return beside;
  const source = join(folder.replace(`${sep}dist${sep}`, sep), name);
  if (existsSync(source)) return source;
  throw new Error(`${name} is missing: it is neither at ${beside} nor at ${source}`);
}

import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

const readBytes = 16 * 1024;
const lastLines = 8;
const lineLength = 300;

/** The last words of every component of the clusters below a home, for a person who looks at a failed test. */
export function componentLogs(home: string): string {
  const root = join(home, '.knarr');
  const folders = existsSync(root) ? readdirSync(root).map((cluster) => join(root, cluster, 'logs')) : [];
  const files = folders.flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [],
  );
  return files.map((file) => `--- ${file}\n${lastWords(file)}\n`).join('');
}

function lastWords(file: string): string {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const buffer = Buffer.alloc(Math.min(size, readBytes));
    readSync(handle, buffer, 0, buffer.length, size - buffer.length);
    const lines = buffer.toString().trimEnd().split('\n').slice(-lastLines);
    return lines.map((line) => line.slice(0, lineLength)).join('\n');
  } finally {
    closeSync(handle);
  }
}

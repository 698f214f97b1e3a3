import { readdirSync, statSync } from 'node:fs';
import type { Files } from './generators.js';

/** Files of this machine, each read by `read`. */
export const diskFiles = (read: (path: string) => Buffer): Files => ({
  read,
  isDirectory: (path) => statSync(path).isDirectory(),
  list: (path) => readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : [])),
});

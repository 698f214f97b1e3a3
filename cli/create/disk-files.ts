import { readdirSync, statSync } from 'node:fs';
import { Failure } from '../cluster/failure.js';
import type { Files } from './generators.js';

/** Files of this machine, each read by `read`. What cannot be read is told as kubectl tells it. */
export const diskFiles = (read: (path: string) => Buffer): Files => ({
  read: (path) => readable(path, read),
  isDirectory: (path) => readable(path, (each) => statSync(each).isDirectory()),
  list: (path) => readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : [])),
});

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EACCES: 'permission denied',
};

function readable<T>(path: string, read: (path: string) => T): T {
  try {
    return read(path);
  } catch (error) {
    const reason = reasons[(error as NodeJS.ErrnoException).code ?? ''];
    throw reason === undefined ? error : new Failure(`error reading ${path}: ${reason}`);
  }
}

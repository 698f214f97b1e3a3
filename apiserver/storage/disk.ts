import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeBufferBytes } from './database.js';

/** Makes a directory of our own and sees that its name survives a power loss. */
export function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const parent = openSync(dirname(directory), 'r');
  fsyncSync(parent);
  closeSync(parent);
}

/** Throws unless as much can be written and synced as LevelDB writes when it is opened: a failed opening leaves nothing to read from. */
export function probeDisk(directory: string): void {
  const path = join(directory, 'probe');
  const fd = openSync(path, 'w', 0o600);
  try {
    const block = Buffer.alloc(1024 * 1024, 1);
    for (let written = 0; written < 2 * writeBufferBytes; written += block.length) {
      if (writeSync(fd, block) !== block.length) throw new Error(`no space left in ${directory}`);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
    rmSync(path, { force: true });
  }
}

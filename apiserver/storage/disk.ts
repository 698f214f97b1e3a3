import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Makes a directory of our own and sees that its name survives a power loss. */
export function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  syncDirectory(dirname(directory));
}

/** The names in it survive a power loss. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Throws unless this much can be written and synced. */
export function probeDisk(directory: string, sizeBytes: number): void {
  const path = join(directory, 'probe');
  const fd = openSync(path, 'w', 0o600);
  try {
    const block = Buffer.alloc(1024 * 1024, 1);
    for (let written = 0; written < sizeBytes; written += block.length) {
      if (writeSync(fd, block) !== block.length) throw new Error(`no space left in ${directory}`);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
    rmSync(path, { force: true });
  }
}

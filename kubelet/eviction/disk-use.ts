import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const blockBytes = 512;

/** Bytes that a folder and all below it take on the disk, as `du` counts: links once, other file systems not at all. */
export async function diskUse(folder: string): Promise<number> {
  const root = await lstat(folder).catch(() => undefined);
  if (!root) return 0;
  const linked = new Set<number>();
  let bytes = root.blocks * blockBytes;
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    // What is deleted meanwhile takes nothing.
    for (const name of await readdir(next).catch(() => [])) {
      const path = join(next, name);
      const found = await lstat(path).catch(() => undefined);
      if (!found || found.dev !== root.dev || linked.has(found.ino)) continue;
      if (found.nlink > 1 && !found.isDirectory()) linked.add(found.ino);
      bytes += found.blocks * blockBytes;
      if (found.isDirectory()) folders.push(path);
    }
  }
  return bytes;
}

import { mkdir, open, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';

const checks: Readonly<Record<string, { is: (found: Stats) => boolean; what: string }>> = {
  Directory: { is: (found) => found.isDirectory(), what: 'directory' },
  DirectoryOrCreate: { is: (found) => found.isDirectory(), what: 'directory' },
  File: { is: (found) => found.isFile(), what: 'file' },
  FileOrCreate: { is: (found) => found.isFile(), what: 'file' },
  Socket: { is: (found) => found.isSocket(), what: 'socket file' },
  CharDevice: { is: (found) => found.isCharacterDevice(), what: 'character device' },
  BlockDevice: { is: (found) => found.isBlockDevice(), what: 'block device' },
};

/** Checks or creates the path as the volume's type says. The messages are the original's. */
export async function prepareHostPath(path: string, type: string): Promise<void> {
  let found = await statIfThere(path);
  if (!found && type === 'FileOrCreate') {
    await (await open(path, 'a', 0o644)).close();
    found = await stat(path);
  }
  // Without a type nothing is checked, but the runtime needs something to mount.
  if (!found && (type === 'DirectoryOrCreate' || type === '')) {
    await mkdir(path, { recursive: true, mode: 0o755 });
    found = await stat(path);
  }
  const check = checks[type];
  if (check && !(found && check.is(found))) {
    throw new Error(`hostPath type check failed: ${path} is not a ${check.what}`);
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

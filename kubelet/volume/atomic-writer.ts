import { chmod, chown, mkdir, mkdtemp, readFile, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';

/** One file of a configMap, secret, downwardAPI or projected volume. */
export interface PayloadFile {
  readonly data: Buffer;
  readonly mode: number;
  readonly uid?: number;
}
/** By path relative to the volume. */
export type Payload = ReadonlyMap<string, PayloadFile>;

const dataName = '..data';

/**
 * Replaces the files of a volume all at once. A reader sees either the old set or the new one:
 *
 *     volume/key          -> ..data/key
 *     volume/..data       -> ..2026_01_01_ab12      (swapped by one rename)
 *     volume/..2026_01_01_ab12/key
 *
 * Returns whether anything changed. Whatever a killed writer left behind is removed by the next write.
 */
export async function writeAtomically(
  directory: string,
  payload: Payload,
  fsGroup: number | undefined,
): Promise<boolean> {
  for (const path of payload.keys()) checkPath(path);
  const current = await currentData(directory);
  if (current && (await isSame(join(directory, current), payload, fsGroup))) {
    await linkNames(directory, payload);
    return false;
  }
  const fresh = await mkdtemp(join(directory, `..${stamp()}`));
  await chmod(fresh, 0o755);
  await writeFiles(fresh, payload, fsGroup);
  const next = posix.basename(fresh);
  const pointer = join(directory, '..data_tmp');
  await rm(pointer, { force: true });
  await symlink(next, pointer);
  await rename(pointer, join(directory, dataName));
  await linkNames(directory, payload);
  await removeOld(directory, next);
  return true;
}

/** A payload path stays below the volume and out of the writer's own names. */
function checkPath(path: string): void {
  const parts = path.split('/');
  if (path === '' || path.startsWith('/') || parts.includes('..') || path.startsWith('..')) {
    throw new Error(`invalid path ${JSON.stringify(path)} in a volume`);
  }
}

const stamp = (): string => new Date().toISOString().slice(0, 19).replace(/[-:T]/g, '_') + '.';

async function currentData(directory: string): Promise<string | undefined> {
  try {
    return await readlink(join(directory, dataName));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function isSame(directory: string, payload: Payload, fsGroup: number | undefined): Promise<boolean> {
  try {
    const existing = await listFiles(directory);
    if (existing.length !== payload.size) return false;
    for (const path of existing) {
      const wanted = payload.get(path);
      if (!wanted) return false;
      const file = join(directory, path);
      if (!(await readFile(file)).equals(wanted.data)) return false;
      if (((await stat(file)).mode & 0o777) !== fileMode(wanted, fsGroup)) return false;
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function listFiles(directory: string, prefix = ''): Promise<string[]> {
  const entries = await readdir(join(directory, prefix), { withFileTypes: true });
  const nested = entries.map((entry) => {
    const path = posix.join(prefix, entry.name);
    return entry.isDirectory() ? listFiles(directory, path) : Promise.resolve([path]);
  });
  return (await Promise.all(nested)).flat();
}

async function writeFiles(directory: string, payload: Payload, fsGroup: number | undefined): Promise<void> {
  if (fsGroup !== undefined) await own(directory, undefined, fsGroup);
  for (const [path, file] of payload) {
    const target = join(directory, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, file.data, { mode: 0o600 });
    if (file.uid !== undefined || fsGroup !== undefined) await own(target, file.uid, fsGroup);
    // After chown, which clears bits, and past the umask.
    await chmod(target, fileMode(file, fsGroup));
  }
}

/** A volume that belongs to a group is readable by it. */
function fileMode(file: PayloadFile, fsGroup: number | undefined): number {
  return (fsGroup === undefined ? file.mode : file.mode | 0o440) & 0o777;
}

const own = (path: string, uid: number | undefined, gid: number | undefined): Promise<void> =>
  chown(path, uid ?? 0, gid ?? 0);

/** Links for new names; names that left the payload are removed. */
async function linkNames(directory: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path));
  const present = new Set((await readdir(directory)).filter((name) => !name.startsWith('..')));
  for (const name of wanted) if (!present.has(name)) await symlink(posix.join(dataName, name), join(directory, name));
  for (const name of present) if (!wanted.has(name)) await rm(join(directory, name), { force: true, recursive: true });
}

async function removeOld(directory: string, keep: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith('..') && name !== keep && name !== dataName) {
      await rm(join(directory, name), { recursive: true, force: true });
    }
  }
}

import { chmod, mkdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { CreateContainerConfigError } from '../container/start-error.js';

/**
 * Host path of a part of a volume, which a container wants instead of the whole. It is made where it is missing, with the
 * volume's own mode: whoever may write into the volume may write here.
 * Containers can write symbolic links into volumes, so the real path must stay inside.
 */
export async function resolveSubPath(volumePath: string, subPath: string): Promise<string> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) {
    throw new CreateContainerConfigError(
      `failed to prepare subPath: ${JSON.stringify(subPath)} must not leave the volume`,
    );
  }
  const root = await realpath(volumePath);
  const wanted = join(root, subPath);
  const existing = await realpathIfThere(wanted);
  if (existing === undefined) {
    const parent = await deepestExisting(root, subPath);
    assertInside(root, parent, subPath);
    await makeDirectories(wanted, (await stat(root)).mode & 0o7777);
  }
  const resolved = await realpath(wanted);
  assertInside(root, resolved, subPath);
  return resolved;
}

async function makeDirectories(path: string, mode: number): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await chmod(made, mode);
}

function assertInside(root: string, path: string, subPath: string): void {
  if (path !== root && !path.startsWith(root + sep)) {
    throw new CreateContainerConfigError(
      `failed to prepare subPath: ${JSON.stringify(subPath)} points outside the volume`,
    );
  }
}

async function deepestExisting(root: string, subPath: string): Promise<string> {
  const parts = subPath.split('/').filter((part) => part !== '' && part !== '.');
  for (let count = parts.length - 1; count > 0; count--) {
    const found = await realpathIfThere(join(root, ...parts.slice(0, count)));
    if (found !== undefined) return found;
  }
  return root;
}

async function realpathIfThere(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

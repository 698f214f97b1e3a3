import { open } from 'node:fs/promises';

export const CGROUP_ROOT = '/sys/fs/cgroup';

/** Where Docker puts containers: cgroupfs driver, systemd driver. */
export const cgroupsOf = (id: string): readonly string[] => [`docker/${id}`, `system.slice/docker-${id}.scope`];

/** The cgroup is out of sight (in a container, say), of version 1, which has no such file, or gone already. */
const ABSENT = new Set(['ENOENT', 'ENODEV', 'EACCES', 'EPERM', 'EROFS']);

/**
 * As the original on cgroup version 2 (kubelet's singleProcessOOMKill, off by default): where memory runs out, all processes of the container
 * are killed, not one that the rest may not notice. Docker has no setting for it. Resolves with whether it is so.
 */
export async function killTogether(id: string, root = CGROUP_ROOT): Promise<boolean> {
  for (const cgroup of cgroupsOf(id)) {
    try {
      // Nothing is made that is not there.
      const file = await open(`${root}/${cgroup}/memory.oom.group`, 'r+');
      try {
        await file.write('1');
      } finally {
        await file.close();
      }
      return true;
    } catch (error) {
      if (!ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  return false;
}

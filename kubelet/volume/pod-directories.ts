import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Where a node keeps what belongs to its pods:
 *
 *     ROOT/pods/UID/volumes/KIND/NAME        what is mounted into containers
 *     ROOT/pods/UID/containers/NAME/ATTEMPT  termination messages
 *     ROOT/pods/UID/etc/{hosts,resolv.conf,hostname}
 *     ROOT/seccomp                           profiles that the administrator puts there, by type Localhost
 *
 * ROOT/pods is 0700, so that secrets and tokens below are out of other users' sight.
 */
export class PodDirectories {
  readonly #root: string;
  readonly seccompProfiles: string;

  constructor(rootDirectory: string) {
    this.#root = join(rootDirectory, 'pods');
    this.seccompProfiles = join(rootDirectory, 'seccomp');
  }

  async ensureRoot(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
  }

  pod(uid: string): string {
    return join(this.#root, safeName(uid));
  }

  volume(uid: string, kind: string, name: string): string {
    return join(this.pod(uid), 'volumes', `knarr.dev~${kind}`, safeName(name));
  }

  terminationMessage(uid: string, container: string, attempt: number): string {
    return join(this.pod(uid), 'containers', safeName(container), String(attempt));
  }

  etc(uid: string): string {
    return join(this.pod(uid), 'etc');
  }

  /** Pods that have a directory, also those that the API has forgotten. */
  async list(): Promise<string[]> {
    return await readdir(this.#root);
  }

  /** A pod that has ended needs its volumes no more, and its secrets need not lie about. */
  async removeVolumes(uid: string): Promise<void> {
    await rm(join(this.pod(uid), 'volumes'), { recursive: true, force: true });
  }

  async remove(uid: string): Promise<void> {
    await rm(this.pod(uid), { recursive: true, force: true });
  }
}

/** Names come from the API, which validates them; a path must not depend on that. */
function safeName(name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    throw new Error(`not usable as a file name: ${JSON.stringify(name)}`);
  }
  return name;
}

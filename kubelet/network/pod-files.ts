import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../shared/api/generated/types.js';
import type { Mount } from '../runtime/container-runtime.js';
import { hostsFile, podHostname } from './hosts-file.js';
import {
  type DnsOptions,
  formatResolvConf,
  parseResolvConf,
  podResolvConf,
  resolvConfOmissions,
} from './resolv-conf.js';

export interface PodFilesOptions {
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** Files of the node; arguments so that tests have their own. */
  readonly hostResolvConf: string;
  readonly hostHosts: string;
}

/** Writes a pod's own /etc/hosts, /etc/resolv.conf and /etc/hostname, and says how to mount them. */
export class PodFiles {
  readonly #options: PodFilesOptions;

  constructor(options: PodFilesOptions) {
    this.#options = options;
  }

  async write(pod: Pod, podIPs: readonly string[], directory: string): Promise<readonly Mount[]> {
    const { clusterDomain, hostHosts } = this.#options;
    const resolv = formatResolvConf(podResolvConf(pod, await this.#dns()));
    const hosts = hostsFile(pod, podIPs, clusterDomain, pod.spec.hostNetwork ? await readIfThere(hostHosts) : '');
    await mkdir(directory, { recursive: true, mode: 0o755 });
    const mounts = [await mount(directory, 'resolv.conf', resolv), await mount(directory, 'hosts', hosts)];
    if (pod.spec.hostNetwork) return mounts;
    return [...mounts, await mount(directory, 'hostname', `${podHostname(pod, clusterDomain)}\n`)];
  }

  /** What of the pod's name servers and search paths is too much for its /etc/resolv.conf. */
  async omissions(pod: Pod): Promise<readonly string[]> {
    return resolvConfOmissions(pod, await this.#dns());
  }

  async #dns(): Promise<DnsOptions> {
    const { clusterDns, clusterDomain, hostResolvConf } = this.#options;
    return { clusterDns, clusterDomain, host: parseResolvConf(await readIfThere(hostResolvConf)) };
  }
}

/**
 * An unchanged file is left as it is: running containers have it mounted, and a bind mount keeps the file that was there,
 * not the name.
 */
async function mount(directory: string, name: string, content: string): Promise<Mount> {
  const hostPath = join(directory, name);
  if ((await readIfThere(hostPath)) !== content) {
    await writeFile(`${hostPath}.new`, content, { mode: 0o644 });
    await rename(`${hostPath}.new`, hostPath);
  }
  return { hostPath, containerPath: `/etc/${name}`, readOnly: false, propagation: 'private' };
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

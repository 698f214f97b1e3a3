import type { PodInfo } from './pod-info.js';

interface Claim {
  readonly node: string;
  readonly ip: string;
  readonly isHostNetwork: boolean;
}

/**
 * Ports of the hosts in use. A pod in the host's network takes a port of the whole machine, which several nodes may share
 * (their link address tells); a hostPort of another pod is bound on its node's own address.
 */
export class HostPorts {
  /** `linkAddress protocol port` -> pod key -> claims. */
  readonly #claims = new Map<string, Map<string, Claim>>();

  conflicts(info: PodInfo, node: string, link: string): boolean {
    return info.hostPorts.some(({ protocol, port, ip }) => {
      const claims = this.#claims.get(`${link} ${protocol} ${port}`);
      return (
        claims !== undefined &&
        [...claims.values()].some((c) => clash(c, { node, ip, isHostNetwork: info.isHostNetwork }))
      );
    });
  }

  change(info: PodInfo, node: string, link: string, sign: 1 | -1): void {
    for (const { protocol, port, ip } of info.hostPorts) {
      const at = `${link} ${protocol} ${port}`;
      const claims = this.#claims.get(at) ?? new Map<string, Claim>();
      const key = `${info.key} ${ip}`;
      if (sign === 1) claims.set(key, { node, ip, isHostNetwork: info.isHostNetwork });
      else claims.delete(key);
      if (claims.size > 0) this.#claims.set(at, claims);
      else this.#claims.delete(at);
    }
  }
}

function clash(a: Claim, b: Claim): boolean {
  if (a.isHostNetwork || b.isHostNetwork) return true;
  return a.node === b.node && (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0');
}

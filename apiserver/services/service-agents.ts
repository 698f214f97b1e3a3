import { createHash } from 'node:crypto';
import { Agent } from 'node:https';
import type { KeyPair } from '../../shared/pki/certificate.js';

/** By whom the certificate of a service must be signed. */
export interface ServiceTrust {
  /** Base64 of PEM; absent: the authorities of the system. */
  readonly caBundle?: string;
  /** The certificate is not looked at. */
  readonly isInsecure?: boolean;
}

export interface ServiceAgentOptions {
  /** What the server shows of itself. */
  readonly client?: KeyPair;
  /** Requests and streams that are open at once to one service. */
  readonly maxSocketsPerHost: number;
}

/** Authorities that are remembered with their open connections. */
const maxAgents = 64;
const maxFreeSockets = 8;

/** Connections over TLS to what runs behind Services (webhooks, extension servers); they stay open between calls. */
export class ServiceAgents {
  readonly #options: ServiceAgentOptions;
  readonly #agents = new Map<string, Agent>();

  constructor(options: ServiceAgentOptions) {
    this.#options = options;
  }

  agentFor({ caBundle, isInsecure = false }: ServiceTrust): Agent {
    const key = isInsecure ? 'insecure' : caBundle ? createHash('sha256').update(caBundle).digest('base64') : '';
    const known = this.#agents.get(key);
    if (known) {
      // The order of the map is the order of use.
      this.#agents.delete(key);
      this.#agents.set(key, known);
      return known;
    }
    const agent = this.#make(caBundle, isInsecure);
    this.#agents.set(key, agent);
    for (const [oldest, unused] of this.#agents) {
      if (this.#agents.size <= maxAgents) break;
      this.#agents.delete(oldest);
      unused.destroy();
    }
    return agent;
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #make(caBundle: string | undefined, isInsecure: boolean): Agent {
    const { client, maxSocketsPerHost } = this.#options;
    return new Agent({
      ...(caBundle && !isInsecure ? { ca: Buffer.from(caBundle, 'base64').toString('latin1') } : {}),
      ...(isInsecure ? { rejectUnauthorized: false } : {}),
      ...(client ? { cert: client.certificate, key: client.key } : {}),
      keepAlive: true,
      maxSockets: maxSocketsPerHost,
      maxFreeSockets,
    });
  }
}

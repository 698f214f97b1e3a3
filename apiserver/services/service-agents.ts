import { createHash } from 'node:crypto';
import { Agent } from 'node:https';
import type { KeyPair } from '../../shared/pki/certificate.js';

/** By whom the certificate of a service must be signed. */
export interface ServiceTrust {
  /** Base64 of PEM; absent: the authorities of the system. */
  readonly caBundle?: string;
  /** The certificate is not looked at. */
  readonly isInsecure?: boolean;
  /** What the server shows of itself to this service; absent: what it shows to all. */
  readonly client?: KeyPair;
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

  agentFor(trust: ServiceTrust): Agent {
    const key = keyOf(trust);
    const known = this.#agents.get(key);
    if (known) {
      // The order of the map is the order of use.
      this.#agents.delete(key);
      this.#agents.set(key, known);
      return known;
    }
    const agent = this.#make(trust);
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

  #make({ caBundle, isInsecure = false, client = this.#options.client }: ServiceTrust): Agent {
    const { maxSocketsPerHost } = this.#options;
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

/** Connections are shared by those who trust the same and show the same. */
function keyOf({ caBundle, isInsecure, client }: ServiceTrust): string {
  if (!caBundle && !isInsecure && !client) return '';
  const hash = createHash('sha256').update(isInsecure ? 'insecure' : `ca:${caBundle ?? ''}`);
  return hash.update(client ? `\0${client.certificate}` : '').digest('base64');
}

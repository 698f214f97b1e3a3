import type { AuthenticationV1TokenRequest, Pod } from '../../shared/api/generated/types.js';
import { serviceaccounts } from '../../shared/api/generated/resources.js';
import { defineResource } from '../../shared/api/resource.js';
import type { Client } from '../../shared/client/client.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { TokenRequester } from './payload.js';

interface Held {
  readonly token: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

const dayMs = 24 * 3600 * 1000;

/** A POST to the token subresource of a ServiceAccount takes and gives a TokenRequest. */
const tokenRequests = defineResource<AuthenticationV1TokenRequest>({
  group: serviceaccounts.group,
  version: serviceaccounts.version,
  kind: 'TokenRequest',
  resource: serviceaccounts.resource,
  namespaced: true,
});

/** Tokens bound to pods, renewed when 80 % of their life or a day has passed. Nothing of them is kept on disk but in volumes. */
export class TokenManager implements TokenRequester {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async token(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string> {
    const key = `${pod.metadata.uid ?? ''}/${audience ?? ''}/${expirationSeconds}`;
    const held = this.#held.get(key);
    if (held && !this.#isDue(held)) return held.token;
    try {
      const fresh = await this.#request(pod, audience, expirationSeconds);
      this.#held.set(key, fresh);
      return fresh.token;
    } catch (error) {
      // The old one still serves while the server cannot be reached.
      if (held && held.expiresAtMs > this.#clock.now()) return held.token;
      throw error;
    }
  }

  forget(uid: string): void {
    for (const key of this.#held.keys()) if (key.startsWith(`${uid}/`)) this.#held.delete(key);
  }

  #isDue({ issuedAtMs, expiresAtMs }: Held): boolean {
    const ageMs = this.#clock.now() - issuedAtMs;
    return ageMs > 0.8 * (expiresAtMs - issuedAtMs) || ageMs > dayMs;
  }

  async #request(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<Held> {
    const { name, namespace = '', uid } = pod.metadata;
    const issuedAtMs = this.#clock.now();
    const answer = await this.#client.create(
      tokenRequests,
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: { namespace },
        spec: {
          audiences: audience ? [audience] : [],
          expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      },
      { subresource: 'token', name: pod.spec.serviceAccountName ?? 'default' },
    );
    const { token = '', expirationTimestamp = '' } = answer.status ?? {};
    return { token, issuedAtMs, expiresAtMs: Date.parse(expirationTimestamp) || issuedAtMs + expirationSeconds * 1000 };
  }
}

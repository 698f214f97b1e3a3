import { serviceaccounts } from '../api/generated/resources.js';
import type { AuthenticationV1TokenRequest } from '../api/generated/types.js';
import type { Resource } from '../api/resource.js';
import type { Clock } from '../clock/clock.js';
import type { Client } from './client.js';

/** Gives the bearer token of the next request. */
export interface TokenSource {
  token(): Promise<string> | string;
  /** The server refused the token: the next call must not return it again, if that can be helped. */
  refused(token: string): void;
}

/** A token that never changes. */
export function staticToken(token: string): TokenSource {
  return { token: () => token, refused: () => undefined };
}

/** Reads a file, as it is rotated under a running pod: again after a minute, and at once when the server refused the token. */
export function fileToken(readFile: () => Promise<string>, clock: Clock): TokenSource {
  return new RefreshingToken(clock, async () => ({
    token: (await readFile()).trim(),
    refreshAtMs: clock.now() + 60_000,
  }));
}

/** Tokens of a ServiceAccount through TokenRequest, renewed after four fifths of their life. `client` may request them. */
export function serviceAccountToken(
  client: Client,
  account: { namespace: string; name: string },
  clock: Clock,
  expirationSeconds = 3600,
): TokenSource {
  return new RefreshingToken(clock, async () => {
    const { token, expiresAtMs } = await requestToken(client, account, expirationSeconds);
    return { token, refreshAtMs: clock.now() + (expiresAtMs - clock.now()) * 0.8 };
  });
}

async function requestToken(
  client: Client,
  account: { namespace: string; name: string },
  expirationSeconds: number,
): Promise<{ token: string; expiresAtMs: number }> {
  const answer = await client.create(
    serviceaccounts as Resource as Resource<AuthenticationV1TokenRequest>,
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { namespace: account.namespace },
      spec: { expirationSeconds },
    },
    { name: account.name, subresource: 'token' },
  );
  const { token, expirationTimestamp } = answer.status ?? {};
  if (!token || !expirationTimestamp) {
    throw new Error(`TokenRequest for ${account.namespace}/${account.name}: no token in the answer`);
  }
  return { token, expiresAtMs: Date.parse(expirationTimestamp) };
}

interface Fetched {
  readonly token: string;
  readonly refreshAtMs: number;
}

/** One fetch at a time; a token that cannot be renewed yet is used on. */
class RefreshingToken implements TokenSource {
  readonly #clock: Clock;
  readonly #fetch: () => Promise<Fetched>;
  #current: Fetched | undefined;
  #fetching: Promise<Fetched> | undefined;

  constructor(clock: Clock, fetch: () => Promise<Fetched>) {
    this.#clock = clock;
    this.#fetch = fetch;
  }

  async token(): Promise<string> {
    if (this.#current && this.#clock.now() < this.#current.refreshAtMs) return this.#current.token;
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    const previous = this.#current;
    try {
      this.#current = await this.#fetching;
    } catch (error) {
      if (!previous) throw error;
      this.#current = { token: previous.token, refreshAtMs: this.#clock.now() + 10_000 };
    }
    return this.#current.token;
  }

  refused(token: string): void {
    if (this.#current?.token === token) this.#current = undefined;
  }
}

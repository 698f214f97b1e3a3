import { serviceaccounts } from '../shared/api/generated/resources.js';
import type { Client } from '../shared/client/client.js';
import { Connection, type ConnectionOptions } from '../shared/client/connection.js';
import { HttpsClient, type OnAnswer } from '../shared/client/https-client.js';
import { serviceAccountToken, type TokenSource } from '../shared/client/token-source.js';
import type { Clock } from '../shared/clock/clock.js';
import { isAlreadyExists, isNotFound } from '../shared/errors/status-error.js';

const namespace = 'kube-system';
/** Calls under way at once, of all controllers. */
const maxCalls = 32;

/** Clients that act as ServiceAccounts of kube-system, over one set of connections that has no identity of its own. */
export class ControllerAccounts {
  readonly #manager: Client;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #onAnswer: OnAnswer | undefined;
  readonly #clients = new Map<string, Client>();

  /** `manager` may create the accounts and request their tokens. */
  constructor(manager: Client, connection: ConnectionOptions, clock: Clock, onAnswer?: OnAnswer) {
    const { server, ca, tlsServerName, insecureSkipTlsVerify } = connection;
    this.#manager = manager;
    this.#clock = clock;
    this.#onAnswer = onAnswer;
    this.#connection = new Connection(
      {
        server,
        ...(ca ? { ca } : {}),
        ...(tlsServerName ? { tlsServerName } : {}),
        ...(insecureSkipTlsVerify ? { insecureSkipTlsVerify } : {}),
        maxCalls,
      },
      clock,
    );
  }

  /** The client of that account; the account and its token are made at the first call. */
  client(account: string): Client {
    let client = this.#clients.get(account);
    if (!client) {
      const token = this.#token(account);
      const userAgent = `kube-controller-manager/${account}`;
      const onAnswer = this.#onAnswer;
      const options = { connection: this.#connection, clock: this.#clock, token, userAgent };
      client = new HttpsClient({ ...options, ...(onAnswer ? { onAnswer } : {}) });
      this.#clients.set(account, client);
    }
    return client;
  }

  close(): void {
    this.#connection.close();
  }

  #token(name: string): TokenSource {
    const inner = serviceAccountToken(this.#manager, { namespace, name }, this.#clock);
    return {
      token: async () => {
        try {
          return await inner.token();
        } catch (error) {
          if (!isNotFound(error)) throw error;
          await this.#createAccount(name);
          return inner.token();
        }
      },
      refused: (token) => inner.refused(token),
    };
  }

  async #createAccount(name: string): Promise<void> {
    try {
      await this.#manager.create(serviceaccounts, { metadata: { name, namespace } });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}

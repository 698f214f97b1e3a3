import { Client, connectivityState, credentials } from '@grpc/grpc-js';
import type { Clock } from '../../../shared/clock/clock.js';

/** A host and port, from `host:port`; the scheme `dns:///` of gRPC names is accepted. */
export function parseTarget(text: string): { host: string; port: number } {
  const match = /^(?:dns:\/{0,3})?(\[[0-9a-f:.]+\]|[^:/]+):(\d+)$/i.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || !(port >= 1 && port <= 65535))
    throw new Error(`TF_SERVING_HOST=${text} must be a host and a port`);
  return { host: match[1].replace(/^\[(.*)\]$/, '$1'), port };
}

export interface ModelConnectionsOptions {
  target: { host: string; port: number };
  resolve: (hostname: string) => Promise<{ address: string; family: number }[]>;
  clock: Clock;
  /** Connections kept open in advance. */
  spares: number;
}

/** An open or opening connection to one model-server pod. */
export interface ModelConnection {
  client: Client;
  /** Resolves when the connection stands; rejects as soon as it failed, or when nobody answers for a while. */
  connected(): Promise<void>;
  close(): void;
}

interface Spare {
  connection: ModelConnection;
  openedAt: number;
  isReady: boolean;
}

const ADDRESSES_FRESH_MS = 5_000;
const SPARE_FRESH_MS = 10_000;
/** Nobody at an address is known long before a call would be given up. */
const CONNECT_TIMEOUT_MS = 1_500;

/**
 * Connections to the model server that carry one request each.
 *
 * A Service's address is balanced per connection, and gRPC would keep one connection, hence one pod, for ever. A few
 * spare connections are opened in advance, so no request waits for a handshake. Names are resolved here and remembered:
 * the addresses of a headless Service are used in turn, and the last known ones serve on while DNS is away.
 */
export class ModelConnections {
  readonly #options: ModelConnectionsOptions;
  #spares: Spare[] = [];
  #addresses: string[] = [];
  #resolvedAt = -Infinity;
  #resolving: Promise<void> | undefined;
  #turn = 0;
  #isClosed = false;

  constructor(options: ModelConnectionsOptions) {
    this.#options = options;
  }

  /** A spare connection when one is ready, else a new one. The caller closes it after its request. */
  async take(): Promise<ModelConnection> {
    const now = this.#options.clock.monotonic();
    const isFresh = (spare: Spare): boolean => now - spare.openedAt <= SPARE_FRESH_MS;
    for (const spare of this.#spares) if (!isFresh(spare)) spare.connection.close();
    const fresh = this.#spares.filter(isFresh);
    const chosen = fresh.find((spare) => spare.isReady);
    this.#spares = fresh.filter((spare) => spare !== chosen);
    this.#refill().catch(() => {
      // No spares then: the request below meets the same error and reports it.
    });
    return chosen?.connection ?? this.open();
  }

  /** A connection that nobody used before: after a failure, a spare may lead to the same dead pod. */
  async open(): Promise<ModelConnection> {
    const addresses = await this.#resolved();
    const address = addresses[this.#turn++ % addresses.length];
    if (address === undefined) throw new Error(`${this.#options.target.host} has no address`);
    const host = address.includes(':') ? `ipv6:[${address}]` : `ipv4:${address}`;
    const client = new Client(`${host}:${this.#options.target.port}`, credentials.createInsecure(), {
      // Channels to one address share a connection unless each has a pool of its own.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.max_receive_message_length': 1024 * 1024,
    });
    return { client, connected: () => connected(client), close: () => client.close() };
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#spares) connection.close();
    this.#spares = [];
  }

  async #refill(): Promise<void> {
    while (!this.#isClosed && this.#spares.length < this.#options.spares) {
      const connection = await this.open();
      if (this.#isClosed || this.#spares.length >= this.#options.spares) {
        connection.close();
        return;
      }
      const spare: Spare = { connection, openedAt: this.#options.clock.monotonic(), isReady: false };
      this.#spares.push(spare);
      connection.connected().then(
        () => (spare.isReady = true),
        () => this.#drop(spare),
      );
    }
  }

  #drop(spare: Spare): void {
    if (!this.#spares.includes(spare)) return;
    this.#spares = this.#spares.filter((kept) => kept !== spare);
    spare.connection.close();
  }

  async #resolved(): Promise<string[]> {
    const { clock, resolve, target } = this.#options;
    if (clock.monotonic() - this.#resolvedAt > ADDRESSES_FRESH_MS) {
      this.#resolving ??= (async () => {
        try {
          const found = await resolve(target.host);
          this.#addresses = found.map(({ address }) => address);
          this.#resolvedAt = clock.monotonic();
        } catch (error) {
          if (this.#addresses.length === 0) throw error;
        } finally {
          this.#resolving = undefined;
        }
      })();
      // With addresses at hand nobody waits for DNS: the answer is for the next connection.
      if (this.#addresses.length === 0) await this.#resolving;
      else this.#resolving.catch(() => undefined);
    }
    return this.#addresses;
  }
}

/** gRPC would go on trying the one address; here a failure is the end of it, as the next attempt may get another pod. */
function connected(client: Client): Promise<void> {
  const channel = client.getChannel();
  const deadline = Date.now() + CONNECT_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const look = (error?: Error): void => {
      const state = error === undefined ? channel.getConnectivityState(true) : connectivityState.SHUTDOWN;
      if (state === connectivityState.READY) resolve();
      else if (state === connectivityState.IDLE || state === connectivityState.CONNECTING)
        channel.watchConnectivityState(state, deadline, look);
      else reject(error ?? new Error('the connection failed'));
    };
    look();
  });
}

import { after, before } from 'node:test';
import type { KeyPair } from '../../shared/pki/certificate.js';
import { RawClient, type RawSender } from './raw-client.js';
import { startTestServer, type TestServer, type TestServerOptions } from './test-server.js';

/** A server, and those who ask it. */
export interface ServerWorld {
  /** Not there before the first hook or test runs. */
  readonly server: TestServer;
  readonly admin: RawSender;
  /** A client with a certificate for this user. */
  readonly clientOf: (user: string, groups?: readonly string[]) => Promise<RawClient>;
  /** A client with this certificate; without one: nobody. */
  readonly clientWith: (identity?: KeyPair) => RawClient;
}

/**
 * The world of a describe block or a file: there from its first test to its last; its hooks run before those that are
 * registered after it. Clients are closed with the server. Options that take work are made by a function when it starts.
 */
export function serverWorld(options: TestServerOptions | (() => Promise<TestServerOptions>) = {}): ServerWorld {
  let server: TestServer | undefined;
  let administrator: RawClient | undefined;
  const clients: RawClient[] = [];
  const running = (): TestServer => {
    if (!server) throw new Error('the server is started by a hook, and no hook has run yet');
    return server;
  };
  const clientWith = (identity?: KeyPair): RawClient => {
    const client = new RawClient(running(), identity);
    clients.push(client);
    return client;
  };
  before(async () => {
    server = await startTestServer(typeof options === 'function' ? await options() : options);
  });
  after(async () => {
    for (const client of clients) client.close();
    await server?.close();
  });
  return {
    get server() {
      return running();
    },
    admin: {
      send: (path, request) => {
        administrator ??= clientWith(running().admin);
        return administrator.send(path, request);
      },
    },
    clientOf: async (user, groups) => clientWith(await running().certificateFor(user, groups)),
    clientWith,
  };
}

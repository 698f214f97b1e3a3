declare module 'spdy-transport/lib/spdy-transport/protocol/spdy/dictionary.js' {
  const dictionaries: Readonly<Record<string, Buffer>>;
  export default dictionaries;
}

declare module 'spdy-transport' {
  import type { EventEmitter } from 'node:events';
  import type { Duplex } from 'node:stream';

  namespace spdyTransport {
    interface Connection extends EventEmitter {
      start(version: number): void;
      request(options: {
        method: string;
        host: string;
        path: string;
        headers: Readonly<Record<string, string>>;
      }): Duplex;
    }
  }
  const spdyTransport: {
    readonly connection: {
      create(socket: Duplex, options: { protocol: 'spdy'; isServer: boolean }): spdyTransport.Connection;
    };
  };
  export default spdyTransport;
}

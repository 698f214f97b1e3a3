import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock, type Clock } from '../../clock/clock.js';
import { servingCertificate } from '../../pki/testing/serving-certificate.js';
import { Connection } from '../connection.js';
import { HttpsClient } from '../https-client.js';
import type { TokenSource } from '../token-source.js';

/** One request as the script sees it. */
export interface ScriptedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly response: ServerResponse;
  /** Answers with JSON. */
  json(code: number, body: unknown, headers?: Record<string, string>): void;
}

export interface ScriptedServer {
  readonly server: string;
  readonly ca: string;
  readonly requests: ScriptedRequest[];
  client(options?: { clock?: Clock; token?: TokenSource; timeoutMs?: number; maxCalls?: number }): HttpsClient;
  /** Cuts every connection, as a server does that is killed. */
  cut(): void;
  /** How many connections there were. */
  readonly connections: number;
  close(): Promise<void>;
}

export interface ScriptedServerOptions {
  /** Default h2, as a cluster's server speaks. */
  readonly protocol?: 'h2' | 'http/1.1';
}

/** An HTTPS server on loopback that does what the test says, at the network's edge: for what a real server never does on request. */
export async function startScriptedServer(
  script: (request: ScriptedRequest) => void,
  options: ScriptedServerOptions = {},
): Promise<ScriptedServer> {
  const { ca, certificate, key } = await servingCertificate();
  const requests: ScriptedRequest[] = [];
  const tls = { cert: certificate, key };
  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => {
    void receive(incoming, response).then((request) => {
      requests.push(request);
      script(request);
    });
  };
  const server =
    options.protocol === 'http/1.1'
      ? createServer(tls, onRequest)
      : createSecureServer(tls, onRequest as unknown as Parameters<typeof createSecureServer>[1]);
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('secureConnection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('sessionError', () => undefined);
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: HttpsClient[] = [];
  return {
    server: url,
    ca: ca,
    requests,
    client: ({ maxCalls, ...given } = {}) => {
      const clock = given.clock ?? systemClock;
      const bound = maxCalls === undefined ? {} : { maxCalls };
      const connection = new Connection({ server: url, ca: ca, ...bound }, clock);
      const client = new HttpsClient({ connection, ...given, clock });
      clients.push(client);
      return client;
    },
    cut,
    get connections() {
      return connections;
    },
    close: () => {
      for (const client of clients) client.close();
      return new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      });
    },
  };
}

async function receive(incoming: IncomingMessage, response: ServerResponse): Promise<ScriptedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return {
    method: incoming.method ?? '',
    url: new URL(incoming.url ?? '/', 'https://localhost'),
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString('utf8'),
    response,
    json: (code, body, headers = {}) => {
      response.writeHead(code, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    },
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { systemClock, type Clock } from '../../clock/clock.js';
import { createCertificateAuthority, issueCertificate } from '../../pki/certificate.js';
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
  client(options?: { clock?: Clock; token?: TokenSource; timeoutMs?: number; maxSockets?: number }): HttpsClient;
  close(): Promise<void>;
}

/** An HTTPS server on loopback that does what the test says, at the network's edge: for what a real server never does on request. */
export async function startScriptedServer(script: (request: ScriptedRequest) => void): Promise<ScriptedServer> {
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const ca = await createCertificateAuthority({ subject: { commonName: 'test' }, ...validity });
  const pair = await issueCertificate(ca, {
    subject: { commonName: 'localhost' },
    usages: ['server'],
    ipAddresses: ['127.0.0.1'],
    ...validity,
  });
  const requests: ScriptedRequest[] = [];
  const server = createServer({ cert: pair.certificate, key: pair.key }, (incoming, response) => {
    void receive(incoming, response).then((request) => {
      requests.push(request);
      script(request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: HttpsClient[] = [];
  return {
    server: url,
    ca: ca.certificate,
    requests,
    client: ({ maxSockets, ...options } = {}) => {
      const clock = options.clock ?? systemClock;
      const bound = maxSockets === undefined ? {} : { maxSockets };
      const connection = new Connection({ server: url, ca: ca.certificate, ...bound }, clock);
      const client = new HttpsClient({ connection, ...options, clock });
      clients.push(client);
      return client;
    },
    close: () => {
      for (const client of clients) client.close();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
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

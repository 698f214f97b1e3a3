import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { issueCertificate, type KeyPair } from '../../shared/pki/certificate.js';

export type FakeAnswer = (path: string, body: unknown) => { readonly code: number; readonly body: unknown };

/** A service outside the cluster (an OpenID provider, a webhook) on a free port of loopback, with a certificate of `ca`. */
export class FakeService {
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(ca: KeyPair, answer: FakeAnswer): Promise<FakeService> {
    const hour = 3_600_000;
    const serving = await issueCertificate(ca, {
      subject: { commonName: 'fake' },
      usages: ['server'],
      ipAddresses: ['127.0.0.1'],
      notBefore: new Date(Date.now() - 1000),
      notAfter: new Date(Date.now() + hour),
    });
    const server = createServer({ cert: serving.certificate, key: serving.key });
    const service = new FakeService(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const path = request.url ?? '';
        service.asked.push(path);
        const text = Buffer.concat(chunks).toString('utf8');
        const { code, body } = answer(path, text === '' ? undefined : JSON.parse(text));
        response.writeHead(code, { 'content-type': 'application/json' });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

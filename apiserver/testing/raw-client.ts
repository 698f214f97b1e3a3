import { Agent, request } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { KeyPair } from '../../shared/pki/certificate.js';
import type { TestServer } from './test-server.js';

export interface RawAnswer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
  /** The body as JSON; undefined when it is none. */
  readonly json: Record<string, unknown> | undefined;
}

export interface RawOptions {
  readonly method?: string;
  /** Bytes and texts are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** Who sends requests. */
export type RawSender = Pick<RawClient, 'send'>;

/** Requests as they stand on the wire, for tests of what typed clients hide. */
export class RawClient {
  readonly #server: Pick<TestServer, 'ca' | 'port'>;
  readonly #agent: Agent;

  /** Without a certificate: nobody. */
  constructor(server: Pick<TestServer, 'ca' | 'port'>, identity?: KeyPair) {
    this.#server = server;
    this.#agent = new Agent({
      ca: server.ca,
      keepAlive: true,
      ...(identity ? { cert: identity.certificate, key: identity.key } : {}),
    });
  }

  send(path: string, options: RawOptions = {}): Promise<RawAnswer> {
    const { body } = options;
    const bytes = body === undefined ? undefined : bytesOf(body);
    const headers: Record<string, string | number> = { ...options.headers };
    if (bytes) {
      headers['content-length'] = bytes.length;
      headers['content-type'] ??= 'application/json';
    }
    return new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port: this.#server.port,
        path,
        method: options.method ?? (body === undefined ? 'GET' : 'POST'),
        agent: this.#agent,
        headers,
      });
      sent.on('error', reject);
      sent.on('response', (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString('utf8');
          resolve({ code: answer.statusCode ?? 0, headers: answer.headers, text, bytes, json: parse(text) });
        });
      });
      sent.end(bytes);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable, Writable } from 'node:stream';
import type { Exchange } from '../http/exchange.js';
import { writeHead } from '../http/respond.js';

export type Headers = Record<string, string | string[]>;

/** Where a request goes on, and how. */
export interface ForwardTarget {
  readonly isTls: boolean;
  readonly options: RequestOptions;
  /** What the target is sent, without those of the connection. */
  readonly headers: Headers;
  /** Sees the answer before it goes on; may send it itself and return true. */
  readonly onAnswer?: (answer: IncomingMessage, headers: Headers) => boolean;
}

/** Headers of one connection, which do not pass a proxy (RFC 9110 7.6.1), nor exist in HTTP/2. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const dialTimeoutMs = 30_000;

function withoutHops(headers: Headers): Headers {
  const kept: Headers = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!hopByHop.has(name) && value !== undefined) kept[name] = value;
  }
  return kept;
}

/**
 * Passes a request on and the answer back, both as they come. Resolves when the answer has begun; rejects with a plain Error
 * when the target could not be reached. Whoever ends first, client or target, ends the other.
 */
export function forward(exchange: Exchange, target: ForwardTarget): Promise<void> {
  const { request, response } = exchange;
  const send = target.isTls ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const upstream = send({
      ...target.options,
      method: exchange.method,
      headers: withoutHops(target.headers),
      timeout: dialTimeoutMs,
    });
    upstream.on('timeout', () => {
      if (!response.headersSent) upstream.destroy(new Error('i/o timeout'));
    });
    upstream.on('error', (error) => {
      if (response.headersSent) response.destroy();
      reject(error);
    });
    upstream.on('response', (answer) => {
      resolve();
      answerWith(exchange, target, answer);
    });
    (response as Writable).once('close', () => upstream.destroy());
    (request as Readable).pipe(upstream);
  });
}

function answerWith(exchange: Exchange, { onAnswer }: ForwardTarget, answer: IncomingMessage): void {
  const out = exchange.response as Writable;
  // The client was told that it took too long.
  if (exchange.response.headersSent) {
    answer.destroy();
    return;
  }
  const headers = withoutHops(answer.headers as Headers);
  answer.on('error', () => out.destroy());
  if (onAnswer?.(answer, headers)) return;
  writeHead(exchange.response, answer.statusCode ?? 502, { ...headers, ...exchange.headers });
  // The first event of a watch may be far away.
  if ('flushHeaders' in exchange.response) exchange.response.flushHeaders();
  answer.pipe(out);
}

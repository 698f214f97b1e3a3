import type { Exchange } from '../http/exchange.js';
import { commonHeaders, endWith, writeHead } from '../http/respond.js';

/** 503 in plain text, as the original sends it: clients put their own words to it, which name the resource. */
export function sendUnavailable(exchange: Exchange, text: string): void {
  const { request, response } = exchange;
  if (!request.readableEnded) request.resume();
  const body = Buffer.from(`${text}\n`);
  writeHead(response, 503, {
    ...commonHeaders(exchange),
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-length': body.length,
  });
  endWith(response, body);
}

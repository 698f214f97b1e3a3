import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { withoutWebSocketToken } from '../../shared/review/web-socket-token.js';
import type { StatusError } from '../../shared/errors/status-error.js';
import { internalError } from '../registry/status-errors.js';

/** Where an upgraded connection goes on. */
export interface TunnelTarget {
  readonly isTls: boolean;
  readonly options: RequestOptions;
  /** Instead of those of the client. */
  readonly headers?: Record<string, string | string[]>;
  /** Makes a Status of the target's refusal; without it that goes to the client as it is. */
  readonly readRefusal?: (answer: IncomingMessage) => Promise<StatusError>;
}

/** Headers that speak about one connection or to this server only. */
const notPassedOn = new Set(['host', 'authorization', 'x-forwarded-for', 'audit-id']);

export function passedHeaders(request: Pick<IncomingMessage, 'headers'>): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || notPassedOn.has(name) || name.startsWith(':')) continue;
    // As whom the request is made has been decided here.
    if (name.startsWith('impersonate-')) continue;
    headers[name] = name === 'sec-websocket-protocol' ? withoutWebSocketToken(value) : value;
  }
  return headers;
}

const dialTimeoutMs = 30_000;

/**
 * Repeats an upgrade request at the target and, when that agrees, joins the two connections byte for byte; SPDY and
 * WebSocket are spoken between client and target. A refusal is passed on. Rejects when the target cannot be reached.
 */
export function tunnel(request: IncomingMessage, socket: Duplex, head: Buffer, target: TunnelTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    const send = target.isTls ? httpsRequest : httpRequest;
    const upstream = send({
      ...target.options,
      method: request.method,
      headers: target.headers ?? passedHeaders(request),
      timeout: dialTimeoutMs,
    });
    const onGone = (): void => void upstream.destroy();
    socket.once('close', onGone);
    upstream.on('timeout', () => upstream.destroy(new Error('i/o timeout')));
    upstream.on('error', (error) => reject(internalError(`error dialing backend: ${error.message}`)));
    upstream.on('upgrade', (answer, far, farHead) => {
      socket.off('close', onGone);
      socket.write(headOf(answer));
      join(socket, far, head, farHead);
      resolve();
    });
    upstream.on('response', (answer) => {
      if (target.readRefusal) {
        target.readRefusal(answer).then(reject, reject);
        return;
      }
      socket.write(headOf(answer, { connection: 'close' }));
      answer.pipe(socket);
      answer.on('error', () => socket.destroy());
      resolve();
    });
    upstream.end();
  });
}

/** Joins two connections; each half closes by itself, and an error of one ends the other. */
function join(near: Duplex, far: Duplex, head: Buffer, farHead: Buffer): void {
  for (const socket of [near, far] as (Duplex & { setNoDelay?(on: boolean): void; setTimeout?(ms: number): void })[]) {
    socket.setNoDelay?.(true);
    socket.setTimeout?.(0);
  }
  if (head.length > 0) far.write(head);
  if (farHead.length > 0) far.unshift(farHead);
  near.pipe(far);
  relay(far, near);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
  near.on('close', () => far.destroy());
  far.on('close', () => near.end());
}

/**
 * Passes on piece by piece, each when the one before has left: what came as a TLS record leaves as one. Some clients wait for
 * their socket only (the Python library's): of two messages in one record they would not see the second.
 */
function relay(from: Duplex, to: Duplex): void {
  from.on('data', (piece: Buffer) => {
    from.pause();
    to.write(piece, () => from.resume());
  });
  from.on('end', () => to.end());
}

function headOf(answer: IncomingMessage, changes: Record<string, string> = {}): string {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}`];
  const skipped = answer.statusCode === 101 ? [] : ['connection', 'transfer-encoding', 'keep-alive'];
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    const name = answer.rawHeaders[i] ?? '';
    if (!skipped.includes(name.toLowerCase())) lines.push(`${name}: ${answer.rawHeaders[i + 1] ?? ''}`);
  }
  for (const [name, value] of Object.entries(changes)) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

import { gzip } from 'node:zlib';
import type { JsonObject } from '../../shared/api/json.js';
import type { StatusError, StatusObject } from '../../shared/errors/status-error.js';
import { protobufMediaType } from '../decode/decode.js';
import { formatManifest } from '../../shared/manifest/format.js';
import { header, type Exchange, type RawResponse } from './exchange.js';
import { plainEncoding, type Negotiated } from './accept.js';

export const jsonType = 'application/json';
const yamlType = 'application/yaml';
/** What is longer goes out as plain JSON, which is YAML too: to lay it out would hold up everybody else. */
const maxLaidOutBytes = 64 * 1024;
/** Smaller answers cost more to compress than to send. */
const gzipFromBytes = 128 * 1024;
const maxWarnings = 16;
const maxWarningLength = 1024;

type Headers = Record<string, string | string[] | number>;

/** Headers that every answer carries. */
export function commonHeaders(exchange: Pick<Exchange, 'headers' | 'warnings'>): Headers {
  const headers: Headers = { 'cache-control': 'no-cache, private' };
  for (const name in exchange.headers) headers[name] = exchange.headers[name] ?? '';
  const { warnings } = exchange;
  if (warnings.length > 0) headers['warning'] = [...new Set(warnings)].slice(0, maxWarnings).map(warningHeader);
  return headers;
}

function warningHeader(text: string): string {
  // Header values are Latin-1 and one line; quotes and backslashes are escaped in a quoted-string.
  const plain = text.replace(/[^\x20-\x7e]/g, ' ').slice(0, maxWarningLength);
  return `299 - "${plain.replace(/["\\]/g, '\\$&')}"`;
}

/** writeHead of both protocol versions has the same meaning but not the same type. */
export function writeHead(response: RawResponse, code: number, headers: Headers): void {
  (response as { writeHead(code: number, headers: object): unknown }).writeHead(code, headers);
}

export function endWith(response: RawResponse, body?: Buffer): void {
  (response as { end(body?: Buffer): unknown }).end(body);
}

/** Sends a complete body, compressed when it is big and the client takes that. */
export function sendBytes(
  exchange: Exchange,
  code: number,
  contentType: string,
  body: Buffer,
  changes?: Record<string, string>,
): void {
  exchange.audit?.responseBody(body, contentType);
  deliver(exchange, code, contentType, body, changes);
}

/** An object in protobuf; `json` says the same to those who read the audit log. */
export function sendProtobuf(exchange: Exchange, code: number, protobuf: Buffer, json: Buffer): void {
  exchange.audit?.responseBody(json, jsonType);
  deliver(exchange, code, protobufMediaType, protobuf);
}

function deliver(
  exchange: Exchange,
  code: number,
  contentType: string,
  body: Buffer,
  changes?: Record<string, string>,
): void {
  const { response, request } = exchange;
  if (response.headersSent || response.writableEnded) return;
  const headers = commonHeaders(exchange);
  headers['content-type'] = contentType;
  if (changes) Object.assign(headers, changes);
  if (body.length >= gzipFromBytes && header(request, 'accept-encoding')?.includes('gzip')) {
    gzip(body, { level: 1 }, (error, compressed) => {
      if (error || response.writableEnded || response.destroyed) return;
      exchange.sent.bytes = compressed.length;
      writeHead(response, code, { ...headers, 'content-encoding': 'gzip', 'content-length': compressed.length });
      endWith(response, compressed);
    });
    return;
  }
  headers['content-length'] = body.length;
  exchange.sent.bytes = body.length;
  writeHead(response, code, headers);
  endWith(response, exchange.method === 'HEAD' ? undefined : body);
}

/** A value that the server made, as JSON or, where that is what the client wants, as YAML or protobuf. */
export function sendJson(exchange: Exchange, code: number, value: unknown): void {
  const encoding = plainEncoding(header(exchange.request, 'accept'));
  sendObject(exchange, code, Buffer.from(JSON.stringify(value)), { encoding, isPretty: false });
}

/** Whether JSON of this size is laid out: for who asks for it, and for browsers and tools that people read from. */
export function isLaidOut(exchange: Exchange, isPretty: boolean, sizeBytes: () => number): boolean {
  return isForPeople(exchange, isPretty) && sizeBytes() <= maxLaidOutBytes;
}

function isForPeople({ query, request }: Exchange, isPretty: boolean): boolean {
  const asked = query.get('pretty');
  if (asked) return /^(1|t|true)$/i.test(asked);
  return isPretty || /^(curl|Wget|Mozilla\/5\.0)/.test(header(request, 'user-agent') ?? '');
}

/** An object in the encoding that was asked for; `bytes` is its JSON. */
export function sendObject(
  exchange: Exchange,
  code: number,
  bytes: Buffer,
  { encoding, isPretty }: Pick<Negotiated, 'encoding' | 'isPretty'>,
): void {
  if (encoding === 'protobuf') {
    // What has no such form is JSON, as the original's answers about itself are.
    const encoded = exchange.encodeProtobuf(JSON.parse(bytes.toString('utf8')) as JsonObject);
    if (encoded) sendProtobuf(exchange, code, encoded, bytes);
    else sendBytes(exchange, code, jsonType, bytes);
    return;
  }
  const contentType = encoding === 'yaml' ? yamlType : jsonType;
  const isPlain =
    encoding === 'json' ? !isLaidOut(exchange, isPretty, () => bytes.length) : bytes.length > maxLaidOutBytes;
  if (isPlain) {
    sendBytes(exchange, code, contentType, bytes);
    return;
  }
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  const text = encoding === 'yaml' ? formatManifest(value) : `${JSON.stringify(value, undefined, 2)}\n`;
  sendBytes(exchange, code, contentType, Buffer.from(text));
}

function sendStatus(exchange: Exchange, status: StatusObject, code: number): void {
  sendJson(exchange, code, status);
}

export function sendError(exchange: Exchange, error: StatusError): void {
  const { response } = exchange;
  const retryAfter = error.details?.retryAfterSeconds;
  if (retryAfter !== undefined && !response.headersSent) response.setHeader('retry-after', String(retryAfter));
  sendStatus(exchange, error.toStatus(), error.code);
}

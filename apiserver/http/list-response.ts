import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { Readable, Writable } from 'node:stream';
import type { Resource } from '../../shared/api/resource.js';
import type { ListResult } from '../cache/list-reader.js';
import { header, type Exchange } from './exchange.js';
import { commonHeaders, jsonType, writeHead } from './respond.js';

const chunkBytes = 256 * 1024;
const comma = Buffer.from(',');
const end = Buffer.from(']}\n');

/** metadata of a list. */
export function listMetadata(result: ListResult): Record<string, unknown> {
  return {
    resourceVersion: String(result.revision),
    ...(result.continue === undefined ? {} : { continue: result.continue }),
    ...(result.remainingItemCount === undefined ? {} : { remainingItemCount: result.remainingItemCount }),
  };
}

/** The bytes of a list around its items. */
export function listHead(resource: Pick<Resource, 'kind' | 'apiVersion'>, result: ListResult): Buffer {
  const metadata = JSON.stringify(listMetadata(result));
  const kind = JSON.stringify(`${resource.kind}List`);
  return Buffer.from(
    `{"kind":${kind},"apiVersion":${JSON.stringify(resource.apiVersion)},"metadata":${metadata},"items":[`,
  );
}

/**
 * Streams a list: the stored bytes of each item between commas, joined into chunks, at the pace of the client, so that
 * a big list never exists twice.
 */
export async function sendList(exchange: Exchange, head: Buffer, items: readonly Buffer[]): Promise<void> {
  const { response } = exchange;
  let length = head.length + end.length + Math.max(0, items.length - 1);
  for (const item of items) length += item.length;
  const wantsGzip = length >= 128 * 1024 && header(exchange.request, 'accept-encoding')?.includes('gzip') === true;
  const headers = { ...commonHeaders(exchange), 'content-type': jsonType };
  if (wantsGzip) {
    writeHead(response, 200, { ...headers, 'content-encoding': 'gzip' });
    const gzip = createGzip({ level: 1 });
    (gzip as Readable).pipe(response as Writable);
    response.once('close', () => gzip.destroy());
    await writeItems(gzip, head, items);
    gzip.end();
    return;
  }
  writeHead(response, 200, { ...headers, 'content-length': length });
  if (exchange.method === 'HEAD') {
    response.end();
    return;
  }
  await writeItems(response as Writable, head, items);
  response.end();
}

async function writeItems(out: Writable, head: Buffer, items: readonly Buffer[]): Promise<void> {
  let parts: Buffer[] = [head];
  let size = head.length;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (!item) continue;
    if (i > 0) parts.push(comma);
    parts.push(item);
    size += item.length + 1;
    if (size < chunkBytes) continue;
    if (!(await write(out, Buffer.concat(parts)))) return;
    parts = [];
    size = 0;
  }
  parts.push(end);
  await write(out, Buffer.concat(parts));
}

/** What may wait in one connection: enough to keep it busy, little enough for many clients at once. */
const maxWaitingBytes = 1024 * 1024;

/** False when the client has gone. */
async function write(out: Writable, chunk: Buffer): Promise<boolean> {
  if (out.destroyed) return false;
  if (out.write(chunk) || out.writableLength < maxWaitingBytes) return true;
  const stop = new AbortController();
  const gone = once(out, 'close', { signal: stop.signal }).then(() => false);
  const drained = once(out, 'drain', { signal: stop.signal }).then(() => true);
  try {
    return (await Promise.race([drained, gone])) && !out.destroyed;
  } finally {
    stop.abort();
    await Promise.allSettled([gone, drained]);
  }
}

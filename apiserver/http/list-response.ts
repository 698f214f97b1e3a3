import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { Readable, Writable } from 'node:stream';
import type { Resource } from '../../shared/api/resource.js';
import type { ListResult } from '../cache/list-reader.js';
import { header, type Exchange } from './exchange.js';
import { withoutTypeMeta } from '../registry/encoding.js';
import { commonHeaders, endWith, jsonType, writeHead } from './respond.js';

const chunkBytes = 256 * 1024;
const comma = 0x2c;
const brace = 0x7b;
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

/** The items of a list as they stand between its brackets. */
export class ListItems {
  readonly #items: readonly Buffer[];
  readonly #omitted: number;

  /** Each item leaves out the bytes `omitted` at its beginning, but for the brace. */
  constructor(items: readonly Buffer[], omitted?: Buffer) {
    const prefix = omitted ?? Buffer.alloc(0);
    this.#omitted = prefix.length;
    const isUniform =
      !omitted || items.every((item) => item.length > prefix.length && prefix.compare(item, 0, prefix.length) === 0);
    if (isUniform) this.#items = items;
    else {
      this.#omitted = 0;
      this.#items = items.map(withoutTypeMeta);
    }
  }

  get sizeBytes(): number {
    let size = 0;
    for (const item of this.#items) size += this.#sizeOf(item);
    return size;
  }

  /** The bytes in pieces, each made when it is asked for: a big list never exists twice. */
  *chunks(): Generator<Buffer> {
    for (let from = 0; from < this.#items.length;) {
      let to = from;
      let size = 0;
      while (to < this.#items.length && size < chunkBytes) size += this.#sizeOf(this.#items[to++]);
      yield this.#join(from, to, size);
      from = to;
    }
  }

  /** With its comma. */
  #sizeOf(item: Buffer | undefined): number {
    return item ? item.length + 1 - (this.#omitted > 0 ? this.#omitted - 1 : 0) : 0;
  }

  #join(from: number, to: number, size: number): Buffer {
    const chunk = Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (let i = from; i < to; i++) {
      const item = this.#items[i];
      if (!item) continue;
      if (i > 0) chunk[at++] = comma;
      if (this.#omitted > 0) chunk[at++] = brace;
      at += item.copy(chunk, at, this.#omitted);
    }
    return at === size ? chunk : chunk.subarray(0, at);
  }
}

/** Streams a list at the pace of the client. */
export async function sendList(exchange: Exchange, head: Buffer, items: ListItems): Promise<void> {
  const { response } = exchange;
  // The first item has no comma.
  const length = head.length + end.length + Math.max(0, items.sizeBytes - 1);
  const wantsGzip = length >= 128 * 1024 && header(exchange.request, 'accept-encoding')?.includes('gzip') === true;
  const headers = { ...commonHeaders(exchange), 'content-type': jsonType };
  if (exchange.audit?.wantsResponse(length)) exchange.audit.responseBody(joinList(head, items), jsonType);
  if (wantsGzip) {
    writeHead(response, 200, { ...headers, 'content-encoding': 'gzip' });
    const gzip = createGzip({ level: 1 });
    (gzip as Readable).pipe(response as Writable);
    response.once('close', () => gzip.destroy());
    if (await writeItems(gzip, head, items)) gzip.end();
    return;
  }
  writeHead(response, 200, { ...headers, 'content-length': length });
  if (exchange.method === 'HEAD' || length < chunkBytes) {
    endWith(response, exchange.method === 'HEAD' ? undefined : joinList(head, items));
    return;
  }
  if (await writeItems(response as Writable, head, items)) response.end();
}

/** The whole list at once, for a form that cannot be streamed. */
export function joinList(head: Buffer, items: ListItems): Buffer {
  return Buffer.concat([head, ...items.chunks(), end]);
}

/** False when the client has gone. */
async function writeItems(out: Writable, head: Buffer, items: ListItems): Promise<boolean> {
  if (!(await write(out, head))) return false;
  for (const chunk of items.chunks()) if (!(await write(out, chunk))) return false;
  return write(out, end);
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

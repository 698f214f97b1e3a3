import { createGzip } from 'node:zlib';
import type { Readable, Writable } from 'node:stream';
import type { Resource } from '../../shared/api/resource.js';
import type { ListResult } from '../cache/list-reader.js';
import { protobufMediaType } from '../decode/decode.js';
import { listFields } from '../protobuf/codec.js';
import { envelopeAround } from '../protobuf/envelope.js';
import { ProtobufWriter, varintSize } from '../protobuf/wire.js';
import { header, type Exchange } from './exchange.js';
import { typeMetaPrefix, withoutTypeMeta } from '../registry/encoding.js';
import { commonHeaders, endWith, jsonType, writeHead } from './respond.js';

/** Of a list that is sent piece by piece: what the processor's cache holds beside its encrypted form. */
const chunkBytes = 128 * 1024;
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

/** Bytes that know whether they begin with the type that their list states. */
export interface TypedItem {
  readonly bytes: Buffer;
  startsWithType(prefix: Buffer): boolean;
}

/** The items of a list as they stand between its brackets. */
export class ListItems {
  readonly #items: readonly Buffer[];
  readonly #omitted: number;

  /** Each item leaves out its first `omitted` bytes, but for the brace. */
  constructor(items: readonly Buffer[], omitted = 0) {
    this.#items = items;
    this.#omitted = omitted;
  }

  /** The items of a typed list: they leave out what the list says. Objects of older stores may have another order of fields. */
  static typed(items: readonly TypedItem[], resource: Pick<Resource, 'kind' | 'apiVersion'>): ListItems {
    const prefix = typeMetaPrefix(resource);
    const bytes = items.map((item) => item.bytes);
    if (items.every((item) => item.startsWithType(prefix))) return new ListItems(bytes, prefix.length);
    return new ListItems(bytes.map(withoutTypeMeta));
  }

  get sizeBytes(): number {
    let size = 0;
    for (const item of this.#items) size += this.#sizeOf(item);
    return size;
  }

  /** The bytes in pieces, each made when it is asked for: a big list never exists twice. */
  *chunks(take: TakeBuffer): Generator<Buffer> {
    for (let from = 0; from < this.#items.length;) {
      let to = from;
      let size = 0;
      for (; to < this.#items.length; to++) {
        const more = this.#sizeOf(this.#items[to]);
        if (size > 0 && size + more + this.#omitted > chunkBytes) break;
        size += more;
      }
      yield this.#join(from, to, take(size + this.#omitted), size);
      from = to;
    }
  }

  /** With its comma. */
  #sizeOf(item: Buffer | undefined): number {
    return item ? item.length + 1 - (this.#omitted > 0 ? this.#omitted - 1 : 0) : 0;
  }

  /**
   * Copies from the last item to the first, each one whole: what it leaves out lies where the end of the one before it comes
   * next. A view of each item without those bytes would cost as much as the copying.
   */
  #join(from: number, to: number, into: Buffer, size: number): Buffer {
    let at = this.#omitted + size;
    for (let i = to - 1; i >= from; i--) {
      const item = this.#items[i];
      if (!item) continue;
      at -= item.length;
      into.set(item, at);
      if (this.#omitted > 0) into[(at += this.#omitted - 1)] = brace;
      if (i > 0) into[--at] = comma;
    }
    return into.subarray(at, this.#omitted + size);
  }
}

/** Gives a buffer of at least this many bytes. What it has given earlier may be given again. */
type TakeBuffer = (sizeBytes: number) => Buffer;

/** The bytes of a whole list, made piece by piece. */
export interface ListBody {
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Each chunk may lie in a buffer of `take`. */
  chunks(take: TakeBuffer): Iterable<Buffer>;
}

/** A list in JSON: its head, its items, and what closes both. */
export function jsonList(head: Buffer, items: ListItems): ListBody {
  return {
    contentType: jsonType,
    // The first item has no comma.
    sizeBytes: head.length + end.length + Math.max(0, items.sizeBytes - 1),
    *chunks(take) {
      yield head;
      yield* items.chunks(take);
      yield end;
    },
  };
}

/** A list in protobuf: `items` are messages without envelopes. */
export function protobufList(
  { kind, apiVersion }: Pick<Resource, 'kind' | 'apiVersion'>,
  result: ListResult,
  items: readonly Buffer[],
): ListBody {
  const { metadataField, itemsField } = listFields(apiVersion);
  const metadata = new ProtobufWriter().message(metadataField, (w) => {
    w.string(2, String(result.revision)).string(3, result.continue ?? '');
    if (result.remainingItemCount !== undefined) w.varint(4, result.remainingItemCount);
  });
  const first = metadata.finish();
  const itemsBytes = items.reduce((sum, { length }) => sum + 1 + varintSize(length) + length, 0);
  const { head, tail } = envelopeAround({ apiVersion, kind: `${kind}List` }, first.length + itemsBytes);
  return {
    contentType: protobufMediaType,
    sizeBytes: head.length + first.length + itemsBytes + tail.length,
    *chunks() {
      yield head;
      yield first;
      for (let from = 0; from < items.length;) {
        const writer = new ProtobufWriter();
        for (let size = 0; from < items.length && size < chunkBytes;) {
          const item = items[from++];
          if (!item) continue;
          writer.bytes(itemsField, item);
          size += item.length;
        }
        yield writer.finish();
      }
      yield tail;
    },
  };
}

/** Streams a list at the pace of the client. */
export async function sendList(exchange: Exchange, list: ListBody): Promise<void> {
  const { response } = exchange;
  const length = list.sizeBytes;
  exchange.sent.bytes = length;
  const wantsGzip = length >= 128 * 1024 && header(exchange.request, 'accept-encoding')?.includes('gzip') === true;
  const headers = { ...commonHeaders(exchange), 'content-type': list.contentType };
  if (exchange.audit?.wantsResponse(length)) exchange.audit.responseBody(joinList(list), list.contentType);
  if (wantsGzip) {
    writeHead(response, 200, { ...headers, 'content-encoding': 'gzip' });
    const gzip = createGzip({ level: 1 });
    (gzip as Readable).pipe(response as Writable);
    response.once('close', () => gzip.destroy());
    if (await writeAll(gzip, list)) gzip.end();
    return;
  }
  writeHead(response, 200, { ...headers, 'content-length': length });
  if (exchange.method === 'HEAD' || length < chunkBytes) {
    endWith(response, exchange.method === 'HEAD' ? undefined : joinList(list));
    return;
  }
  if (await writeAll(response as Writable, list)) response.end();
}

/** The whole list at once, for a form that cannot be streamed. */
export function joinList(list: ListBody): Buffer {
  return Buffer.concat([...list.chunks((sizeBytes) => Buffer.allocUnsafeSlow(sizeBytes))], list.sizeBytes);
}

/**
 * Each chunk is made in the same buffer once the one before has left for the network: a new one for each would cost more than
 * all else, since each of its pages is a fault. False when the client has gone.
 */
async function writeAll(out: Writable, list: ListBody): Promise<boolean> {
  const gone = new Promise<void>((resolve) => out.once('close', resolve));
  let buffer = Buffer.allocUnsafeSlow(chunkBytes);
  const take: TakeBuffer = (sizeBytes) => {
    if (buffer.length < sizeBytes) buffer = Buffer.allocUnsafeSlow(sizeBytes);
    return buffer;
  };
  for (const chunk of list.chunks(take)) {
    if (out.destroyed) return false;
    await Promise.race([gone, new Promise<void>((resolve) => void out.write(chunk, () => resolve()))]);
  }
  return !out.destroyed;
}

import { wantsGnostic, type OpenApi, type OpenApiDocument } from '../openapi/openapi.js';
import { unknownResource } from '../registry/status-errors.js';
import { header, type Exchange } from './exchange.js';
import type { NonResourceHandler } from './non-resource-handler.js';
import { commonHeaders, sendBytes, writeHead } from './respond.js';

const v3Prefix = '/openapi/v3/';

/** /openapi/v2 and /openapi/v3: built on first use, told apart by their ETags, and kept for ever under hashed URLs. */
export function addOpenApi(paths: NonResourceHandler, openApi: () => OpenApi): void {
  paths.add('/openapi/v2', async (exchange) => {
    const wantsProtobuf = wantsGnostic(header(exchange.request, 'accept'));
    send(exchange, await (wantsProtobuf ? openApi().v2Protobuf() : openApi().v2Json()));
  });
  paths.add('/openapi/v3', async (exchange) => send(exchange, await openApi().v3Index()));
  paths.add(`${v3Prefix}*`, async (exchange) => {
    const document = await openApi().v3Document(exchange.info.path.slice(v3Prefix.length));
    if (!document) throw unknownResource();
    send(exchange, document);
  });
}

function send(exchange: Exchange, { bytes, hash, contentType }: OpenApiDocument): void {
  const { request, response, query } = exchange;
  const etag = `"${hash}"`;
  response.setHeader('etag', etag);
  response.setHeader('vary', 'Accept');
  const isImmutable = query.get('hash') === hash;
  const caching: Record<string, string> = isImmutable ? { 'cache-control': 'public, immutable' } : {};
  if (header(request, 'if-none-match') === etag) {
    writeHead(response, 304, { ...commonHeaders(exchange), ...caching });
    response.end();
    return;
  }
  sendBytes(exchange, 200, contentType, bytes, caching);
}

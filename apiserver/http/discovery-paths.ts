import { createHash } from 'node:crypto';
import type { DiscoverableResource } from '../discovery/discoverable.js';
import {
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  wantsAggregated,
} from '../discovery/documents.js';
import { unknownResource } from '../registry/status-errors.js';
import { header, type Exchange } from './exchange.js';
import type { NonResourceHandler } from './non-resource-handler.js';
import { commonHeaders, sendBytes, sendJson, writeHead } from './respond.js';

export interface DiscoveryOptions {
  readonly resources: readonly DiscoverableResource[];
  readonly serverAddress: () => string;
}

/** /api, /apis and what lies directly below: what the server serves, in the old and in the aggregated form. */
export function addDiscovery(paths: NonResourceHandler, options: DiscoveryOptions): void {
  const { resources, serverAddress } = options;
  const cache = new Map<string, { etag: string; body: Buffer }>();
  const aggregated = (exchange: Exchange, root: 'api' | 'apis', version: 'v2' | 'v2beta1'): void => {
    const key = `${root} ${version}`;
    let made = cache.get(key);
    if (!made) {
      const body = Buffer.from(JSON.stringify(aggregatedDiscovery(resources, root, version)));
      made = { body, etag: `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"` };
      cache.set(key, made);
    }
    sendAggregated(exchange, version, made);
  };
  const root = (name: 'api' | 'apis', plain: () => object) => (exchange: Exchange) => {
    const version = wantsAggregated(header(exchange.request, 'accept'));
    if (version) aggregated(exchange, name, version);
    else sendJson(exchange, 200, plain());
  };
  paths.add(
    '/api',
    root('api', () => apiVersions(serverAddress())),
  );
  paths.add(
    '/apis',
    root('apis', () => apiGroupList(resources)),
  );
  for (const { group, version } of groupVersions(resources)) {
    if (group !== '') paths.add(`/apis/${group}`, (exchange) => send(exchange, apiGroup(resources, group)));
    const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    paths.add(path, (exchange) => send(exchange, apiResourceList(resources, group, version)));
  }
}

function groupVersions(resources: readonly DiscoverableResource[]): { group: string; version: string }[] {
  const found = new Map(resources.map(({ group, version }) => [`${group}/${version}`, { group, version }]));
  return [...found.values()];
}

function send(exchange: Exchange, document: object | undefined): void {
  if (!document) throw unknownResource();
  sendJson(exchange, 200, document);
}

function sendAggregated(exchange: Exchange, version: string, { etag, body }: { etag: string; body: Buffer }): void {
  const { request, response } = exchange;
  response.setHeader('etag', etag);
  response.setHeader('vary', 'Accept');
  if (header(request, 'if-none-match') === etag) {
    writeHead(response, 304, commonHeaders(exchange));
    response.end();
    return;
  }
  const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  sendBytes(exchange, 200, type, body);
}

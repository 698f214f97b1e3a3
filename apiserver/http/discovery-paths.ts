import { createHash } from 'node:crypto';
import type { DiscoverableResource } from '../discovery/discoverable.js';
import {
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  wantsAggregated,
  type Elsewhere,
} from '../discovery/documents.js';
import { header, type Exchange } from './exchange.js';
import type { NonResourceHandler, PathHandler } from './non-resource-handler.js';
import { commonHeaders, sendBytes, sendJson, writeHead } from './respond.js';

export interface DiscoveryOptions {
  /** Another array after each change. */
  readonly resources: () => readonly DiscoverableResource[];
  /** What others serve; another object after each change. */
  readonly elsewhere: () => Elsewhere;
  readonly serverAddress: () => string;
}

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** A document, and of what it was made. */
interface Made {
  readonly etag: string;
  readonly body: Buffer;
  readonly of: readonly DiscoverableResource[];
  readonly and: Elsewhere;
}

/** /api, /apis and what lies directly below: what the server serves, in the old and in the aggregated form. */
export function addDiscovery(paths: NonResourceHandler, options: DiscoveryOptions): void {
  const { resources, elsewhere, serverAddress } = options;
  const cache = new Map<string, Made>();
  const aggregated = (exchange: Exchange, root: 'api' | 'apis', version: 'v2' | 'v2beta1'): void => {
    const key = `${root} ${version}`;
    const of = resources();
    const and = elsewhere();
    let made = cache.get(key);
    if (made?.of !== of || made.and !== and) {
      const body = Buffer.from(JSON.stringify(aggregatedDiscovery(of, root, version, and)));
      made = { body, of, and, etag: `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"` };
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
    root('apis', () => apiGroupList(resources(), elsewhere())),
  );
  paths.addDynamic({
    find: (path) => describedAt(path, resources(), elsewhere()),
    list: () => [...pathsOf([...resources(), ...elsewhere().versions])],
  });
}

/** Who answers `/apis/GROUP`, `/apis/GROUP/VERSION` and `/api/v1`; undefined where nothing of that is served. */
function describedAt(
  path: string,
  resources: readonly DiscoverableResource[],
  elsewhere: Elsewhere,
): PathHandler | undefined {
  const [, root, group = '', version] = path.split('/');
  if (path.split('/').length > 4 || (root !== 'api' && root !== 'apis') || group === '') return undefined;
  if (root === 'api') return version === undefined ? answer(apiResourceList(resources, '', group)) : undefined;
  return answer(
    version === undefined ? apiGroup(resources, group, elsewhere) : apiResourceList(resources, group, version),
  );
}

const answer = (document: object | undefined): PathHandler | undefined =>
  document && ((exchange) => sendJson(exchange, 200, document));

function pathsOf(resources: readonly GroupVersion[]): Set<string> {
  const found = new Set<string>();
  for (const { group, version } of groupVersions(resources)) {
    if (group !== '') found.add(`/apis/${group}`);
    found.add(group === '' ? `/api/${version}` : `/apis/${group}/${version}`);
  }
  return found;
}

function groupVersions(resources: readonly GroupVersion[]): GroupVersion[] {
  const found = new Map(resources.map(({ group, version }) => [`${group}/${version}`, { group, version }]));
  return [...found.values()];
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

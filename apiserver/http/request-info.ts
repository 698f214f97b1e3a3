import { isQueryFlagSet } from '../../shared/api/query.js';
import { badRequest } from '../../shared/errors/bad-request.js';

export type Verb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection'
  /** Of paths outside the resources: the method in lower case. */
  | 'post'
  | 'put'
  | 'head'
  | 'options';

/** What a request is about, as far as its method and URL tell: input of authorization, routing and metrics. */
export interface RequestInfo {
  readonly isResourceRequest: boolean;
  readonly verb: Verb;
  readonly path: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** '' for none. */
  readonly subresource: string;
  readonly namespace: string | undefined;
  /** '' for a collection. */
  readonly name: string;
  /** What follows the subresource: the path behind a proxy. */
  readonly rest: string;
}

const verbOfMethod: Readonly<Record<string, Verb>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Subresources of namespaces; any other third segment is a resource inside the namespace. */
const namespaceSubresources = new Set(['status', 'finalize']);

/**
 * Reads `/api/v1/...` and `/apis/GROUP/VERSION/...` as the original does:
 *
 *     RESOURCE [NAME [SUBRESOURCE [REST]]]
 *     namespaces/NAMESPACE/RESOURCE [NAME [SUBRESOURCE [REST]]]
 *     watch/... (old form)
 */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const segments = path.split('/').filter((segment) => segment !== '');
  const prefix = segments[0];
  const head = prefix === 'api' ? 2 : prefix === 'apis' ? 3 : 0;
  if (head === 0 || segments.length <= head) return nonResource(method, path);
  const group = head === 2 ? '' : (segments[1] ?? '');
  const version = segments[head - 1] ?? '';
  let at = head;
  const isOldWatch = segments[at] === 'watch' && segments.length > at + 1;
  if (isOldWatch) at += 1;
  let namespace: string | undefined;
  const inNamespace = segments[at + 2];
  if (segments[at] === 'namespaces' && inNamespace !== undefined && !namespaceSubresources.has(inNamespace)) {
    namespace = decodeSegment(segments[at + 1] ?? '');
    at += 2;
  }
  const resource = decodeSegment(segments[at] ?? '');
  const name = segments[at + 1] === undefined ? '' : decodeSegment(segments[at + 1] ?? '');
  const subresource = segments[at + 2] === undefined ? '' : decodeSegment(segments[at + 2] ?? '');
  return {
    isResourceRequest: true,
    verb: isOldWatch ? 'watch' : resourceVerb(method, name, query),
    path,
    group,
    version,
    resource,
    subresource,
    namespace: resource === 'namespaces' && group === '' && name !== '' ? name : namespace,
    name,
    rest: restOf(path, segments, at + 3),
  };
}

function resourceVerb(method: string, name: string, query: URLSearchParams): Verb {
  const verb = verbOfMethod[method] ?? 'options';
  if (verb === 'delete') return name === '' ? 'deletecollection' : 'delete';
  if (verb !== 'get') return verb;
  if (name !== '') return 'get';
  return isQueryFlagSet(query, 'watch') ? 'watch' : 'list';
}

function nonResource(method: string, path: string): RequestInfo {
  return {
    isResourceRequest: false,
    verb: method.toLowerCase() as Verb,
    path,
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: undefined,
    name: '',
    rest: '',
  };
}

/** A name that would leave its place in keys or URLs is refused before anything looks at it. */
function decodeSegment(segment: string): string {
  let decoded: string;
  try {
    decoded = segment.includes('%') ? decodeURIComponent(segment) : segment;
  } catch {
    throw badRequest(`invalid path segment ${JSON.stringify(segment)}: it is not percent-encoded UTF-8`);
  }
  if (decoded === '.' || decoded === '..') {
    throw badRequest(`invalid resource name ${JSON.stringify(decoded)}: [may not be '${decoded}']`);
  }
  for (const forbidden of ['/', '%', '\0']) {
    if (decoded.includes(forbidden)) {
      throw badRequest(`invalid resource name ${JSON.stringify(decoded)}: [may not contain '${forbidden}']`);
    }
  }
  return decoded;
}

/** The raw remainder of the path, its slashes and encoding kept, for what is proxied. */
function restOf(path: string, segments: readonly string[], from: number): string {
  let at = 0;
  for (let i = 0; i < from; i++) {
    const segment = segments[i];
    if (segment === undefined) return '';
    at = path.indexOf(`/${segment}`, at) + segment.length + 1;
  }
  return path.slice(at);
}

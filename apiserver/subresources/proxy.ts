import type { IncomingMessage, RequestOptions } from 'node:http';
import type { Writable } from 'node:stream';
import type { Exchange } from '../http/exchange.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import { writeHead } from '../http/respond.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { serviceUnavailable } from '../registry/status-errors.js';
import type { Kubelets } from './kubelet-location.js';
import { forward, type Headers } from './forward.js';
import { admitConnect } from './connect.js';
import { HtmlRewriter, rewriteLocation } from './proxy-rewrite.js';
import { proxyTarget, type ProxyTarget } from './proxy-target.js';
import { passedHeaders, type TunnelTarget } from './stream-tunnel.js';

export interface ProxyDependencies {
  readonly objects: ObjectReader;
  readonly kubelets: Kubelets;
  readonly random: () => number;
}

/** Serves the proxy subresource of pods, services and nodes: passes the request on and the answer back. */
export function proxyHandler(given: ProxyDependencies): SubresourceHandler {
  return async (exchange, served) => {
    const { info, response } = exchange;
    if (info.rest === '' && (exchange.method === 'GET' || exchange.method === 'HEAD')) {
      // Relative links of the page would otherwise lead beside it.
      const query = exchange.query.size > 0 ? `?${exchange.query.toString()}` : '';
      writeHead(response, 301, { location: `${info.path}/${query}`, 'content-length': 0 });
      response.end();
      return;
    }
    await admitConnect(exchange, served);
    await pass(exchange, proxyTarget(info, given.objects, given.kubelets, given.random), given.kubelets);
  };
}

/** The same for an upgrade request. */
export function proxyTunnelTarget(exchange: Exchange, given: ProxyDependencies): TunnelTarget {
  const target = proxyTarget(exchange.info, given.objects, given.kubelets, given.random);
  const options = optionsFor(exchange, target, given.kubelets);
  return { isTls: target.scheme === 'https', options };
}

function optionsFor({ info, query }: Exchange, target: ProxyTarget, kubelets: Kubelets): RequestOptions {
  const { host, port, isKubelet } = target;
  const path = `${info.rest === '' ? '/' : info.rest}${query.size > 0 ? `?${query.toString()}` : ''}`;
  const security = isKubelet ? { agent: kubelets.agent } : { rejectUnauthorized: false };
  return { host, port, path, ...security };
}

async function pass(exchange: Exchange, target: ProxyTarget, kubelets: Kubelets): Promise<void> {
  const headers = passedHeaders(exchange.request as IncomingMessage);
  headers['x-forwarded-uri'] = exchange.info.path;
  // Pages are rewritten, so they must come in plain text.
  if (String(headers['accept'] ?? '').includes('text/html')) headers['accept-encoding'] = 'identity';
  try {
    await forward(exchange, {
      isTls: target.scheme === 'https',
      // Small web servers in pods end their lines with LF alone, which the original takes too.
      options: { ...optionsFor(exchange, target, kubelets), insecureHTTPParser: true },
      headers,
      onAnswer: (answer, answerHeaders) => rewrite(exchange, target, answer, answerHeaders),
    });
  } catch (error) {
    throw serviceUnavailable(`error trying to reach service: ${(error as Error).message}`);
  }
}

/** Makes redirects and links of pages lead through the proxy. */
function rewrite(exchange: Exchange, target: ProxyTarget, answer: IncomingMessage, headers: Headers): boolean {
  const { path, rest } = exchange.info;
  const base = rest === '' ? path : path.slice(0, path.length - rest.length);
  const { location } = answer.headers;
  if (location !== undefined) headers['location'] = rewriteLocation(location, base, target);
  const isPage = answer.headers['content-type']?.startsWith('text/html') === true;
  const isPlain = answer.headers['content-encoding'] === undefined;
  if (!isPage || !isPlain || exchange.method === 'HEAD') return false;
  delete headers['content-length'];
  writeHead(exchange.response, answer.statusCode ?? 502, headers);
  answer.pipe(new HtmlRewriter(base)).pipe(exchange.response as Writable);
  return true;
}

import type { HTTPGetAction } from '../../shared/api/generated/types.js';
import { containerPort } from '../container/container-port.js';
import { httpRequest, type HttpAnswer, type HttpRequest } from '../container/http-request.js';
import type { ProbeResult, ProbeTarget } from './probe.js';
import { dialError } from './tcp-probe.js';

const maxRedirects = 10;

/**
 * 200 to 399 is a success. Redirects are followed on the same host; one that leads elsewhere counts as a success with a
 * warning, as in the original: what another host answers says nothing of this container.
 */
export async function httpProbe(
  action: HTTPGetAction,
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  let request: HttpRequest = {
    scheme: action.scheme === 'HTTPS' ? 'HTTPS' : 'HTTP',
    host: action.host || target.podIP,
    port: containerPort(action.port, target.container),
    path: action.path || '/',
    headers: action.httpHeaders ?? [],
    userAgent: 'kube-probe/1.36',
    timeoutMs,
    signal,
  };
  for (let count = 0; count <= maxRedirects; count++) {
    let answer: HttpAnswer;
    try {
      answer = await httpRequest(request);
    } catch (error) {
      return { outcome: 'failure', output: requestError(request, error) };
    }
    const next = isRedirect(answer) ? nextRequest(request, answer.location ?? '') : undefined;
    if (!next) return resultOf(answer);
    if (next.host !== request.host) {
      return { outcome: 'warning', output: `Probe terminated redirects, Response body: ${answer.body}` };
    }
    request = next;
  }
  return { outcome: 'failure', output: `Get "${urlOf(request)}": stopped after ${maxRedirects} redirects` };
}

const isRedirect = (answer: HttpAnswer): boolean =>
  [301, 302, 303, 307, 308].includes(answer.status) && answer.location !== undefined;

function resultOf(answer: HttpAnswer): ProbeResult {
  if (answer.status >= 200 && answer.status < 400) return { outcome: 'success', output: answer.body };
  return { outcome: 'failure', output: `HTTP probe failed with statuscode: ${answer.status}` };
}

function nextRequest(request: HttpRequest, location: string): HttpRequest | undefined {
  try {
    const url = new URL(location, urlOf(request));
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
    const scheme = url.protocol === 'https:' ? 'HTTPS' : 'HTTP';
    const port = url.port === '' ? (scheme === 'HTTPS' ? 443 : 80) : Number(url.port);
    return { ...request, scheme, host: url.hostname.replace(/^\[|\]$/g, ''), port, path: url.pathname + url.search };
  } catch {
    // A location that is no URL leads nowhere.
    return undefined;
  }
}

function urlOf({ scheme, host, port, path }: HttpRequest): string {
  const address = host.includes(':') ? `[${host}]` : host;
  return `${scheme.toLowerCase()}://${address}:${port}${path.startsWith('/') ? path : `/${path}`}`;
}

function requestError(request: HttpRequest, error: unknown): string {
  const url = urlOf(request);
  const failure = error as NodeJS.ErrnoException;
  const address = `${request.host.includes(':') ? `[${request.host}]` : request.host}:${request.port}`;
  return `Get "${url}": ${failure.code ? dialError(address, failure) : failure.message}`;
}

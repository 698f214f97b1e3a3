import { endpointslices, nodes, pods, services } from '../../shared/api/generated/resources.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { notFound, serviceUnavailable } from '../registry/status-errors.js';
import type { RequestInfo } from '../http/request-info.js';
import type { Kubelets } from './kubelet-location.js';

/** The backend that a proxy request means. */
export interface ProxyTarget {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** A kubelet: called with the server's certificate. */
  readonly isKubelet: boolean;
}

type Objects = Pick<ObjectReader, 'find' | 'list'>;

interface ProxyName {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

/** `name`, `name:port`, `scheme:name:port`, `scheme:name:`. */
function splitName(text: string): ProxyName {
  const parts = text.split(':');
  if (parts.length === 1) return { scheme: '', name: text, port: '' };
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 2) return { scheme: '', name: first, port: second };
  if (parts.length === 3 && (first === 'http' || first === 'https' || first === '')) {
    return { scheme: first, name: second, port: third };
  }
  throw badRequest(`invalid proxy request ${JSON.stringify(text)}`);
}

export function proxyTarget(
  info: RequestInfo,
  objects: Objects,
  kubelets: Pick<Kubelets, 'addressOf'>,
  random: () => number,
): ProxyTarget {
  const asked = splitName(info.name);
  const scheme = asked.scheme === 'https' ? 'https' : 'http';
  switch (info.resource) {
    case 'pods':
      return { scheme, isKubelet: false, ...podAddress(info.namespace ?? '', asked, objects) };
    case 'services':
      return { scheme, isKubelet: false, ...serviceAddress(info.namespace ?? '', asked, objects, random) };
    default:
      return nodeAddress(asked, objects, kubelets);
  }
}

function podAddress(namespace: string, { scheme, name, port }: ProxyName, objects: Objects) {
  const pod = objects.find(pods, namespace, name);
  if (!pod) throw notFound(pods, name);
  const host = pod.status?.podIP;
  if (!host) throw badRequest('address not allowed');
  if (port !== '') {
    const named = pod.spec.containers.flatMap(({ ports }) => ports ?? []).find((declared) => declared.name === port);
    return { host, port: named?.containerPort ?? portNumber(port) };
  }
  const [declared] = pod.spec.containers.flatMap(({ ports }) => ports ?? []);
  return { host, port: declared?.containerPort ?? (scheme === 'https' ? 443 : 80) };
}

/** A ready backend of a Service; throws 404 and 503. */
export function serviceAddress(
  namespace: string,
  { name, port }: Pick<ProxyName, 'name' | 'port'>,
  objects: Objects,
  random: () => number,
): { readonly host: string; readonly port: number } {
  const service = objects.find(services, namespace, name);
  if (!service) throw notFound(services, name);
  const ports = service.spec?.ports ?? [];
  const chosen =
    port === ''
      ? ports.length === 1
        ? ports[0]
        : undefined
      : ports.find((p) => p.name === port || String(p.port) === port);
  if (!chosen)
    throw serviceUnavailable(`no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`);
  const candidates = objects
    .list(endpointslices, namespace)
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name)
    .flatMap((slice) => {
      const target = slice.ports?.find((p) => (p.name ?? '') === (chosen.name ?? ''))?.port;
      const ready = (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
      return target === undefined
        ? []
        : ready.flatMap(({ addresses }) => addresses.map((host) => ({ host, port: target })));
    });
  const picked = candidates[Math.floor(random() * candidates.length)];
  if (!picked) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  return picked;
}

function nodeAddress(
  { scheme, name, port }: ProxyName,
  objects: Objects,
  kubelets: Pick<Kubelets, 'addressOf'>,
): ProxyTarget {
  if (!objects.find(nodes, undefined, name)) throw notFound(nodes, name);
  const kubelet = kubelets.addressOf(name);
  const number = port === '' ? kubelet.port : portNumber(port);
  const isKubelet = number === kubelet.port;
  return { scheme: isKubelet || scheme === 'https' ? 'https' : 'http', host: kubelet.host, port: number, isKubelet };
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw badRequest(`invalid port ${JSON.stringify(text)}`);
  return port;
}

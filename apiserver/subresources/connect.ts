import type { KubernetesObject } from '../../shared/api/object.js';
import { isQueryFlagSet } from '../../shared/api/query.js';
import type { Exchange } from '../http/exchange.js';
import type { ServedResource } from '../registry/resource-registry.js';

/** The options of a connection as an object of the API, from the query that they came in. */
function optionsOf({ info, query }: Exchange): KubernetesObject & Record<string, unknown> {
  const streams = (...names: string[]): Record<string, boolean> =>
    Object.fromEntries(names.filter((name) => isQueryFlagSet(query, name)).map((name) => [name, true]));
  const container = query.get('container');
  const inPod = { ...streams('stdin', 'stdout', 'stderr', 'tty'), ...(container ? { container } : {}) };
  const make = (kind: string, fields: object): KubernetesObject & Record<string, unknown> =>
    ({ kind, apiVersion: 'v1', ...fields }) as unknown as KubernetesObject & Record<string, unknown>;
  switch (info.subresource) {
    case 'exec':
      return make('PodExecOptions', { ...inPod, command: query.getAll('command') });
    case 'attach':
      return make('PodAttachOptions', inPod);
    case 'portforward': {
      const ports = query.getAll('ports').flatMap((list) => list.split(',').map(Number));
      return make('PodPortForwardOptions', ports.length > 0 ? { ports } : {});
    }
    default: {
      const kind = { pods: 'PodProxyOptions', services: 'ServiceProxyOptions' }[info.resource] ?? 'NodeProxyOptions';
      return make(kind, info.rest === '' ? {} : { path: info.rest });
    }
  }
}

/** Admits exec, attach, portforward and proxy: what webhooks and policies know as CONNECT. */
export async function admitConnect(exchange: Exchange, { store }: ServedResource): Promise<void> {
  const { info, user, warnings } = exchange;
  const { admission } = store.dependencies;
  const object = optionsOf(exchange);
  const warn = (text: string): void => void warnings.push(text);
  const kind = { group: '', version: 'v1', kind: object.kind };
  const about = { namespace: info.namespace, name: info.name, kind };
  const options = { user, isDryRun: false, warn };
  const request = store.admissionRequest('CONNECT', object, undefined, info.subresource, options, about);
  const mutation = admission.mutate(request);
  if (mutation) await mutation;
  const validation = admission.validate(request);
  if (validation) await validation;
}

import type { Pod } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { isQueryFlagSet } from '../../shared/api/query.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import type { Exchange } from '../http/exchange.js';
import type { ServedResource } from '../registry/resource-registry.js';
import { chooseContainer } from './container-choice.js';
import type { Kubelets } from './kubelet-location.js';
import { readRefusal } from './kubelet-refusal.js';
import type { TunnelTarget } from './stream-tunnel.js';

/** Where exec, attach and portforward of a pod are served: by the kubelet of its node. */
export function podStreamTarget(exchange: Exchange, served: ServedResource, kubelets: Kubelets): TunnelTarget {
  const { info, query } = exchange;
  const pod = served.store.get(info.namespace, info.name).object as unknown as Pod & KubernetesObject;
  const path = pathOf(exchange, pod, query);
  const { nodeName } = pod.spec;
  if (!nodeName) throw badRequest(`pod ${info.name} does not have a host assigned`);
  const { host, port } = kubelets.addressOf(nodeName);
  const options = { host, port, path, agent: kubelets.agent };
  return { isTls: true, options, readRefusal };
}

function pathOf({ info }: Exchange, pod: Pod & KubernetesObject, query: URLSearchParams): string {
  const base = [info.namespace ?? '', info.name].map(encodeURIComponent).join('/');
  if (info.subresource === 'portforward') {
    const ports = query.getAll('ports').flatMap((list) => list.split(','));
    const asked = new URLSearchParams(ports.map((port): [string, string] => ['port', port]));
    return `/portForward/${base}${ports.length > 0 ? `?${asked.toString()}` : ''}`;
  }
  const container = chooseContainer(pod, query.get('container') ?? '');
  const phase = pod.status?.phase ?? '';
  if (phase === 'Succeeded' || phase === 'Failed') {
    throw badRequest(`cannot ${info.subresource} into a container in a completed pod; current phase is ${phase}`);
  }
  const asked = streamQuery(query, info.subresource === 'exec');
  return `/${info.subresource}/${base}/${encodeURIComponent(container)}?${asked.toString()}`;
}

/** The kubelet's names for the streams differ from those of the API. */
function streamQuery(query: URLSearchParams, isExec: boolean): URLSearchParams {
  const asked = new URLSearchParams();
  const commands = query.getAll('command');
  if (isExec && commands.length === 0) throw badRequest('you must specify at least 1 command for the container');
  const isOn = (name: string): boolean => isQueryFlagSet(query, name);
  const streams = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' };
  for (const [name, kubeletName] of Object.entries(streams)) if (isOn(name)) asked.set(kubeletName, '1');
  if (!isOn('stdin') && !isOn('stdout') && !isOn('stderr')) {
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  }
  if (isExec) for (const command of commands) asked.append('command', command);
  return asked;
}

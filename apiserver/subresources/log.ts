import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import type { Pod } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { invalid as invalidField, type FieldError } from '../validation/field-error.js';
import type { Exchange } from '../http/exchange.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import { commonHeaders, sendBytes, writeHead } from '../http/respond.js';
import type { ServedResource } from '../registry/resource-registry.js';
import { internalError, invalid, methodNotSupported } from '../registry/status-errors.js';
import { chooseContainer } from './container-choice.js';
import type { Kubelets } from './kubelet-location.js';
import { readRefusal } from './kubelet-refusal.js';

const text = 'text/plain';
const passedOn = ['follow', 'tailLines', 'sinceSeconds', 'sinceTime', 'timestamps', 'limitBytes', 'previous', 'stream'];
const connectTimeoutMs = 30_000;

/** Serves pods/log: what a container has written, streamed from its kubelet. */
export function logHandler(kubelets: Kubelets): SubresourceHandler {
  return async (exchange, served) => {
    if (exchange.info.verb !== 'get') throw methodNotSupported(served.definition.resource, exchange.info.verb);
    const source = logSource(exchange, served);
    if (!source) {
      sendBytes(exchange, 200, text, Buffer.alloc(0));
      return;
    }
    const out = exchange.response as Writable;
    const log = await openLog(kubelets, source, out);
    writeHead(exchange.response, 200, {
      ...commonHeaders(exchange),
      'content-type': log.headers['content-type'] ?? text,
    });
    if ('flushHeaders' in exchange.response) exchange.response.flushHeaders();
    log.pipe(out);
    log.on('error', () => out.destroy());
  };
}

/** Where a log is: the path at the kubelet of a node. */
export interface LogSource {
  readonly nodeName: string;
  readonly path: string;
}

/** Checks what is asked for; undefined while the pod has no node, so that nothing can have been written. */
export function logSource({ info, query }: Exchange, served: ServedResource): LogSource | undefined {
  checkOptions(query);
  const pod = served.store.get(info.namespace, info.name).object as unknown as Pod & KubernetesObject;
  const container = chooseContainer(pod, query.get('container') ?? '');
  const { nodeName } = pod.spec;
  if (!nodeName) return undefined;
  const segments = [info.namespace ?? '', info.name, container].map(encodeURIComponent).join('/');
  return { nodeName, path: `/containerLogs/${segments}?${passedQuery(query)}` };
}

/** Asks the kubelet; rejects with its refusal. The stream ends early when `reader` is closed. */
export function openLog(kubelets: Kubelets, source: LogSource, reader: Writable): Promise<IncomingMessage> {
  const { path } = source;
  const { host, port } = kubelets.addressOf(source.nodeName);
  return new Promise((resolve, reject) => {
    const upstream = httpsRequest({ host, port, path, agent: kubelets.agent, timeout: connectTimeoutMs });
    let isAnswered = false;
    reader.once('close', () => upstream.destroy());
    upstream.on('timeout', () => {
      if (!isAnswered) upstream.destroy(new Error('the kubelet did not answer in time'));
    });
    upstream.on('error', (error) => reject(internalError(`Get "https://${host}:${port}${path}": ${error.message}`)));
    upstream.on('response', (answer) => {
      isAnswered = true;
      if (answer.statusCode === 200) resolve(answer);
      else readRefusal(answer).then(reject, reject);
    });
    upstream.end();
  });
}

function passedQuery(query: URLSearchParams): string {
  const passed = new URLSearchParams();
  for (const name of passedOn) {
    const value = query.get(name);
    if (value !== null && value !== '') passed.set(name, value);
  }
  return passed.toString();
}

function checkOptions(query: URLSearchParams): void {
  const errors: FieldError[] = [];
  const check = (name: string, least: number): void => {
    const value = query.get(name);
    if (value === null || value === '') return;
    if (!/^-?\d{1,15}$/.test(value) || Number(value) < least) {
      errors.push(invalidField(name, Number(value), `must be greater than or equal to ${least}`));
    }
  };
  check('tailLines', 0);
  check('limitBytes', 1);
  check('sinceSeconds', 1);
  if (query.get('sinceSeconds') && query.get('sinceTime')) {
    errors.push({
      type: 'FieldValueForbidden',
      path: '',
      message: 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
    });
  }
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, '', errors);
}

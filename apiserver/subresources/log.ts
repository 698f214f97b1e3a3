import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type { Pod } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { invalid as invalidField, type FieldError } from '../validation/field-error.js';
import type { Exchange } from '../http/exchange.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import { commonHeaders, sendBytes, writeHead } from '../http/respond.js';
import { internalError, invalid, methodNotSupported } from '../registry/status-errors.js';
import { chooseContainer } from './container-choice.js';
import type { Kubelets } from './kubelet-location.js';

const text = 'text/plain';
const passedOn = ['follow', 'tailLines', 'sinceSeconds', 'sinceTime', 'timestamps', 'limitBytes', 'previous', 'stream'];
const connectTimeoutMs = 30_000;

/** Serves pods/log: what a container has written, streamed from its kubelet. */
export function logHandler(kubelets: Kubelets): SubresourceHandler {
  return async (exchange, served) => {
    const { info, query } = exchange;
    if (info.verb !== 'get') throw methodNotSupported(served.definition.resource, info.verb);
    checkOptions(query);
    const pod = served.store.get(info.namespace, info.name).object as unknown as Pod & KubernetesObject;
    const container = chooseContainer(pod, query.get('container') ?? '');
    const { nodeName } = pod.spec;
    if (!nodeName) {
      // Nothing can have been written yet.
      sendBytes(exchange, 200, text, Buffer.alloc(0));
      return;
    }
    const segments = [info.namespace ?? '', info.name, container].map(encodeURIComponent).join('/');
    await stream(exchange, kubelets, nodeName, `/containerLogs/${segments}?${passedQuery(query)}`);
  };
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

function stream(exchange: Exchange, kubelets: Kubelets, nodeName: string, path: string): Promise<void> {
  const { host, port } = kubelets.addressOf(nodeName);
  const out = exchange.response as Writable;
  return new Promise((resolve, reject) => {
    const upstream = httpsRequest({ host, port, path, agent: kubelets.agent, timeout: connectTimeoutMs });
    out.once('close', () => upstream.destroy());
    upstream.on('timeout', () => {
      if (!exchange.response.headersSent) upstream.destroy(new Error('the kubelet did not answer in time'));
    });
    upstream.on('error', (error) => {
      if (exchange.response.headersSent) out.destroy();
      else reject(internalError(`Get "https://${host}:${port}${path}": ${error.message}`));
      resolve();
    });
    upstream.on('response', (answer: IncomingMessage) => {
      if (answer.statusCode !== 200) {
        passFailure(exchange, answer).then(resolve, reject);
        return;
      }
      writeHead(exchange.response, 200, {
        ...commonHeaders(exchange),
        'content-type': answer.headers['content-type'] ?? text,
      });
      if ('flushHeaders' in exchange.response) exchange.response.flushHeaders();
      (answer as Readable).pipe(out);
      answer.on('error', () => out.destroy());
      answer.on('close', resolve);
    });
    upstream.end();
  });
}

const maxFailureBytes = 16 * 1024;

/** A kubelet's refusal is told in its own words. */
async function passFailure(exchange: Exchange, answer: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxFailureBytes) chunks.push(chunk);
  }
  const message = Buffer.concat(chunks).toString('utf8').trim();
  const code = answer.statusCode ?? 500;
  const reason = { 400: 'BadRequest', 404: 'NotFound' }[code] ?? 'InternalError';
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
  sendBytes(exchange, code, 'application/json', Buffer.from(JSON.stringify(status)));
}

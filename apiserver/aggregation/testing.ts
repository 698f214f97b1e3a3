import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { servingCertificate } from '../../shared/pki/testing/serving-certificate.js';

/** A request as an extension server sees it. */
export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Common name of the client's certificate, if the front proxy's authority signed it. */
  readonly client: string | undefined;
}

/** Answers a request, or leaves it without an answer. */
export type Answering = (request: IncomingMessage, response: ServerResponse) => void;

/** An extension server in this process, over HTTPS, which lets in nobody but the front proxy. */
export interface ExtensionServer {
  readonly port: number;
  /** Base64, as APIServices want it. */
  readonly caBundle: string;
  readonly seen: SeenRequest[];
  answer: Answering;
  onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  close(): Promise<void>;
}

export interface ExtensionServerOptions {
  /** PEM, as the ConfigMap extension-apiserver-authentication tells it. */
  readonly requestHeaderCa: string;
  /** `NAME.NAMESPACE.svc`. */
  readonly serverName: string;
  readonly answer: Answering;
}

export async function startExtensionServer(options: ExtensionServerOptions): Promise<ExtensionServer> {
  const { ca, certificate, key } = await servingCertificate({ dnsNames: [options.serverName] });
  const tls = { cert: certificate, key, ca: options.requestHeaderCa, requestCert: true, rejectUnauthorized: false };
  const server: Server = createServer(tls);
  const look = (request: IncomingMessage): string | undefined => {
    const socket = request.socket as TLSSocket;
    const name = socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined;
    extension.seen.push({ path: request.url ?? '', headers: request.headers, client: name });
    return name;
  };
  const extension: ExtensionServer = {
    get port() {
      return (server.address() as AddressInfo).port;
    },
    caBundle: Buffer.from(ca).toString('base64'),
    seen: [],
    answer: options.answer,
    onUpgrade: (_request, socket) => socket.destroy(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  server.on('request', (request, response) => {
    if (look(request) === 'front-proxy-client') extension.answer(request, response);
    else {
      response.writeHead(401);
      response.end();
    }
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (look(request) === 'front-proxy-client') extension.onUpgrade(request, socket, head);
    else socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return extension;
}

export function sendJson(response: ServerResponse, body: unknown, code = 200): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

const usage = { cpu: '250m', memory: '512Mi' };
const timestamp = '2026-01-01T00:00:00Z';

const objects: Readonly<Record<string, unknown>> = {
  '/apis/metrics.k8s.io/v1beta1': {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: 'metrics.k8s.io/v1beta1',
    resources: [
      { name: 'nodes', singularName: 'node', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
      { name: 'pods', singularName: 'pod', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list', 'watch'] },
    ],
  },
  '/apis/metrics.k8s.io/v1beta1/nodes': {
    kind: 'NodeMetricsList',
    apiVersion: 'metrics.k8s.io/v1beta1',
    metadata: {},
    items: [{ metadata: { name: 'n1' }, timestamp, window: '30s', usage }],
  },
  '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods': {
    kind: 'PodMetricsList',
    apiVersion: 'metrics.k8s.io/v1beta1',
    metadata: {},
    items: [
      { metadata: { name: 'p1', namespace: 'default' }, timestamp, window: '30s', containers: [{ name: 'c', usage }] },
    ],
  },
  '/openapi/v3/apis/metrics.k8s.io/v1beta1': {
    openapi: '3.0.0',
    info: { title: 'metrics', version: 'v1' },
    paths: { '/apis/metrics.k8s.io/v1beta1/nodes': {} },
  },
  '/openapi/v2': {
    swagger: '2.0',
    info: { title: 'metrics', version: 'v1' },
    paths: {
      '/apis/metrics.k8s.io/v1beta1/nodes': {
        get: {
          responses: { 200: { description: 'OK', schema: { $ref: '#/definitions/io.k8s.metrics.NodeMetricsList' } } },
        },
      },
      '/apis/other.example.com/v1/things': { get: { responses: {} } },
    },
    definitions: {
      'io.k8s.metrics.NodeMetricsList': { type: 'object', properties: { kind: { type: 'string' } } },
      'unused.Thing': { type: 'object' },
    },
  },
};

/** metrics.k8s.io/v1beta1 with one node and one pod. */
export const metricsApi: Answering = (request, response) => {
  const found = objects[(request.url ?? '').split('?')[0] ?? ''];
  if (found) sendJson(response, found);
  else sendJson(response, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }, 404);
};

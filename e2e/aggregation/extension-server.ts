// An extension API server: metrics.k8s.io/v1beta1 and custom.metrics.k8s.io/v1beta1 of the kubelets' own figures. It asks the
// cluster who its clients are and what they may, as servers made with the original's library do.
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { configmaps, subjectaccessreviews } from '../../shared/api/generated/resources.js';
import type { SubjectAccessReview } from '../../shared/api/generated/types.js';
import { InformerFactory } from '../../shared/cache/informer-factory.js';
import type { Client } from '../../shared/client/client.js';
import { clientFromAccess } from '../../shared/client/connect.js';
import { inClusterAccess } from '../../shared/client/kubeconfig.js';
import { systemClock } from '../../shared/clock/clock.js';
import { runProcess } from '../../shared/lifecycle/process.js';
import { createLog } from '../../shared/log/log.js';
import { Requesters, type Requester } from './requester.js';
import { nodeMetrics, podMetrics, summaries, workingSets } from './usage.js';

const metrics = '/apis/metrics.k8s.io/v1beta1';
const custom = '/apis/custom.metrics.k8s.io/v1beta1';

const resourceList = (groupVersion: string, resources: readonly object[]): object => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources,
});
const served: Readonly<Record<string, object>> = {
  [metrics]: resourceList('metrics.k8s.io/v1beta1', [
    { name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
    { name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
  ]),
  [custom]: resourceList('custom.metrics.k8s.io/v1beta1', [
    { name: 'pods/memory_working_set', singularName: '', namespaced: true, kind: 'MetricValueList', verbs: ['get'] },
  ]),
};

interface Asked {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

/** Undefined for a path that names no resource. */
function parsePath(path: string): Asked | undefined {
  const [, group = '', version = '', rest = ''] = /^\/apis\/([^/]+)\/([^/]+)\/(.+)$/.exec(path) ?? [];
  const parts = rest === '' ? [] : rest.split('/').map(decodeURIComponent);
  const namespace = parts[0] === 'namespaces' ? (parts.splice(0, 2)[1] ?? '') : '';
  const [resource, name = '', subresource = ''] = parts;
  return resource === undefined ? undefined : { group, version, namespace, resource, name, subresource };
}

/** Asks the cluster, but for those whom the original's library lets pass without. */
async function isAllowed(client: Client, { name, groups }: Requester, path: string): Promise<boolean> {
  if (groups.includes('system:masters')) return true;
  const asked = parsePath(path);
  const attributes = asked
    ? { resourceAttributes: { ...asked, verb: asked.name === '' ? 'list' : 'get' } }
    : { nonResourceAttributes: { path, verb: 'get' } };
  const spec = { user: name, groups: [...groups], ...attributes };
  const { status } = await client.create<SubjectAccessReview>(subjectaccessreviews, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: {},
    spec,
  } as SubjectAccessReview);
  return status?.allowed === true;
}

async function answerTo(client: Client, path: string): Promise<object | undefined> {
  const document = served[path];
  const asked = parsePath(path);
  if (document || !asked) return document;
  const found = await summaries(client);
  if (asked.group === 'custom.metrics.k8s.io')
    return asked.subresource === 'memory_working_set' ? workingSets(found, asked.namespace, asked.name) : undefined;
  const items: readonly { metadata: { name: string } }[] =
    asked.resource === 'nodes' ? nodeMetrics(found) : podMetrics(found, asked.namespace || undefined);
  const kind = asked.resource === 'nodes' ? 'NodeMetricsList' : 'PodMetricsList';
  if (asked.name !== '') return items.find(({ metadata }) => metadata.name === asked.name);
  return { kind, apiVersion: 'metrics.k8s.io/v1beta1', metadata: {}, items };
}

function send(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
const failure = (code: number, reason: string, message: string): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  reason,
  message,
  code,
});

async function handle(client: Client, requesters: Requesters, request: IncomingMessage): Promise<[number, object]> {
  const { pathname } = new URL(request.url ?? '/', 'https://self');
  if (pathname === '/readyz') return [200, {}];
  const requester = await requesters.of(request);
  if (!requester) return [401, failure(401, 'Unauthorized', 'Unauthorized')];
  if (!(await isAllowed(client, requester, pathname))) {
    return [403, failure(403, 'Forbidden', `${pathname} is forbidden: User "${requester.name}" may not get it`)];
  }
  const found = await answerTo(client, pathname);
  return found ? [200, found] : [404, failure(404, 'NotFound', 'the server could not find the requested resource')];
}

await runProcess(async (signal) => {
  const log = createLog({ component: 'extension-server' });
  const client = clientFromAccess(await inClusterAccess(process.env), {
    clock: systemClock,
    userAgent: 'extension-server',
  });
  const factory = new InformerFactory(client, { clock: systemClock, log, random: Math.random });
  const fieldSelector = 'metadata.name=extension-apiserver-authentication';
  const published = factory.informer(configmaps, { namespace: 'kube-system', fieldSelector });
  const running = factory.run(signal);
  await factory.waitForSync(signal);
  const current = (): Requesters => {
    const [found] = published.lister.list();
    if (!found) throw new Error('the ConfigMap kube-system/extension-apiserver-authentication is not there');
    return new Requesters(client, found);
  };
  const tls = { cert: readFileSync('/tls/tls.crt'), key: readFileSync('/tls/tls.key') };
  const server = createServer(
    { ...tls, ca: current().authorities, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      handle(client, current(), request).then(
        ([code, body]) => send(response, code, body),
        (error: Error) => send(response, 500, failure(500, 'InternalError', error.message)),
      );
    },
  );
  published.addHandler({ onUpdate: () => server.setSecureContext({ ...tls, ca: current().authorities }) });
  server.listen(8443, '0.0.0.0');
  await running;
  server.close();
  server.closeAllConnections();
});

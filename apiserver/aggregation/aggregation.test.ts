import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';
import { kubectlFor, type Kubectl } from '../wire/kubectl.js';
import { metricsApi, sendJson, startExtensionServer, type ExtensionServer } from './testing.js';

const root = '/apis/metrics.k8s.io/v1beta1';
const apiServices = '/apis/apiregistration.k8s.io/v1/apiservices';
const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

describe('aggregation', () => {
  const world = serverWorld();
  const { admin } = world;
  let extension: ExtensionServer;
  let kubectl: Kubectl;

  const available = async (name: string): Promise<Condition | undefined> => {
    const { json } = await admin.send(`${apiServices}/${name}`);
    const status = json?.['status'] as { conditions?: Condition[] } | undefined;
    return status?.conditions?.find(({ type }) => type === 'Available');
  };
  const reason = (name: string, wanted: string): Promise<Condition> =>
    eventually(async () => {
      const found = await available(name);
      assert.equal(found?.reason, wanted, found?.message);
      return found as Condition;
    });
  /** A Service that leads to this process: its name resolves to loopback. */
  const createService = async (name: string): Promise<void> => {
    const body = { metadata: { name }, spec: { type: 'ExternalName', externalName: 'localhost' } };
    const made = await admin.send('/api/v1/namespaces/kube-system/services', { body });
    assert.equal(made.code, 201, made.text);
  };
  const register = async (group: string, spec: object): Promise<RawAnswer> => {
    const version = 'v1beta1';
    const body = {
      metadata: { name: `${version}.${group}` },
      spec: { group, version, groupPriorityMinimum: 100, versionPriority: 100, ...spec },
    };
    const made = await admin.send(apiServices, { body });
    assert.equal(made.code, 201, made.text);
    return made;
  };
  const groupNames = async (): Promise<string[]> => {
    const { json } = await admin.send('/apis');
    const { groups } = json as unknown as { groups: { name: string }[] };
    return groups.map(({ name }) => name);
  };

  before(async () => {
    kubectl = await kubectlFor(world.server.kubeconfigPath);
    const { json } = await admin.send('/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication');
    const data = json?.['data'] as Record<string, string>;
    assert.equal(data['requestheader-allowed-names'], '["front-proxy-client"]');
    assert.equal(data['requestheader-username-headers'], '["X-Remote-User"]');
    assert.equal(data['client-ca-file'], world.server.ca);
    extension = await startExtensionServer({
      requestHeaderCa: data['requestheader-client-ca-file'] ?? '',
      serverName: 'metrics-server.kube-system.svc',
      answer: metricsApi,
    });
    await createService('metrics-server');
    await register('metrics.k8s.io', {
      caBundle: extension.caBundle,
      service: { namespace: 'kube-system', name: 'metrics-server', port: extension.port },
    });
    await reason('v1beta1.metrics.k8s.io', 'Passed');
    const node = { metadata: { name: 'n1' } };
    await admin.send('/api/v1/nodes', { body: node });
    await admin.send('/api/v1/nodes/n1/status', {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { status: { capacity: { cpu: '1', memory: '1Gi' }, allocatable: { cpu: '1', memory: '1Gi' } } },
    });
  });
  after(async () => {
    await kubectl.close();
    await extension.close();
  });

  it('kubectl finds the group and shows what its server says', async () => {
    const top = await kubectl.run('top', 'nodes');
    assert.equal(top.code, 0, top.stderr);
    assert.match(top.stdout, /^n1 +250m +25% +512Mi +50%/m);
    const pods = await kubectl.run('top', 'pods', '-n', 'default');
    assert.match(pods.stdout, /^p1 +250m +512Mi/m, pods.stderr);
    const raw = await kubectl.run('get', '--raw', `${root}/nodes`);
    assert.equal((JSON.parse(raw.stdout) as { kind: string }).kind, 'NodeMetricsList');
    const listed = await kubectl.run('api-resources', '--api-group=metrics.k8s.io', '-o', 'name');
    assert.deepEqual(listed.stdout.trim().split('\n'), ['nodes.metrics.k8s.io', 'pods.metrics.k8s.io']);
    const shown = await kubectl.run('get', 'apiservice', 'v1beta1.metrics.k8s.io', '--no-headers');
    assert.match(shown.stdout, /kube-system\/metrics-server +True/);
  });

  it('its server learns who asks, from this server alone', async () => {
    extension.seen.length = 0;
    const answer = await admin.send(`${root}/nodes`, {
      headers: {
        'x-remote-user': 'somebody-else',
        'x-remote-group': 'system:masters',
        'x-remote-extra-evil': '1',
        'impersonate-user': 'jane',
        'impersonate-group': 'system:masters',
        'impersonate-extra-Acme%2FTeam': 'blue',
      },
    });
    assert.equal(answer.code, 200, answer.text);
    const [seen] = extension.seen.filter(({ path }) => path === `${root}/nodes`);
    assert.equal(seen?.client, 'front-proxy-client');
    assert.equal(seen.headers['x-remote-user'], 'jane');
    assert.equal(seen.headers['x-remote-group'], 'system:masters, system:authenticated');
    assert.equal(seen.headers['x-remote-extra-acme%2fteam'], 'blue');
    assert.equal(seen.headers['x-remote-extra-evil'], undefined);
    assert.equal(seen.headers.authorization, undefined);
    assert.deepEqual(
      Object.keys(seen.headers).filter((name) => name.startsWith('impersonate-')),
      [],
    );
    assert.equal(seen.headers.host, 'metrics-server.kube-system.svc');
    assert.equal(seen.headers['audit-id'], answer.headers['audit-id']);
  });

  it('who may not is refused here, and its server not asked', async () => {
    extension.seen.length = 0;
    const jane = await world.clientOf('jane');
    const answer = await jane.send(`${root}/nodes`);
    assert.equal(answer.code, 403);
    assert.match(answer.text, /nodes.metrics.k8s.io is forbidden: User \\"jane\\" cannot list resource/);
    assert.equal(extension.seen.length, 0);
  });

  it('discovery and OpenAPI tell of it beside everything else', async () => {
    const { json } = await admin.send('/apis', { headers: { accept: aggregatedType } });
    const items = json?.['items'] as { metadata: { name: string }; versions: Record<string, unknown>[] }[];
    const found = items.find(({ metadata }) => metadata.name === 'metrics.k8s.io')?.versions[0];
    assert.equal(found?.['freshness'], 'Current');
    assert.equal((found['resources'] as unknown[]).length, 2);
    assert.deepEqual((await admin.send(`${root}`)).json?.['groupVersion'], 'metrics.k8s.io/v1beta1');
    const index = await admin.send('/openapi/v3');
    const paths = index.json?.['paths'] as Record<string, { serverRelativeURL: string }>;
    assert.ok(paths['apis/apps/v1']);
    const document = await admin.send(paths['apis/metrics.k8s.io/v1beta1']?.serverRelativeURL ?? '');
    assert.deepEqual(Object.keys(document.json?.['paths'] as object), [`${root}/nodes`]);
    const v2 = await admin.send('/openapi/v2');
    const described = v2.json as { paths: object; definitions: object };
    assert.ok(`${root}/nodes` in described.paths && '/api/v1/pods' in described.paths);
    assert.ok('io.k8s.metrics.NodeMetricsList' in described.definitions);
    assert.ok(!('unused.Thing' in described.definitions) && !('/apis/other.example.com/v1/things' in described.paths));
    const kept = await admin.send('/openapi/v2', { headers: { 'if-none-match': v2.headers.etag ?? '' } });
    assert.equal(kept.code, 304);
  });

  it('bodies and watches pass as they come', async () => {
    const received: Buffer[] = [];
    let end = (): void => {};
    extension.answer = (request, response) => {
      if (request.method === 'POST') {
        request.on('data', (chunk: Buffer) => received.push(chunk));
        request.on('end', () => sendJson(response, { kind: 'Thing' }, 201));
      } else if (request.url?.includes('watch=1') === true) {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{"type":"ADDED"}\n');
        end = () => response.end('{"type":"DELETED"}\n');
      } else metricsApi(request, response);
    };
    const body = Buffer.alloc(300_000, 'x');
    const posted = await admin.send(`${root}/namespaces/default/pods`, { body, method: 'POST' });
    assert.equal(posted.code, 201);
    assert.equal(Buffer.concat(received).length, body.length);
    const { ca, port, admin: pair } = world.server;
    const stream = await new Promise<IncomingMessage>((resolve, reject) => {
      const path = `${root}/pods?watch=1`;
      const sent = httpsRequest({ host: '127.0.0.1', port, ca, cert: pair.certificate, key: pair.key, path });
      sent.on('response', resolve);
      sent.on('error', reject);
      sent.end();
    });
    const chunks: string[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    await eventually(() => assert.deepEqual(chunks, ['{"type":"ADDED"}\n']));
    end();
    await new Promise((resolve) => stream.once('end', resolve));
    assert.equal(chunks.length, 2);
    extension.answer = metricsApi;
  });

  it('connections are upgraded', async () => {
    extension.onUpgrade = (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n');
      socket.pipe(socket);
    };
    const { ca, port, admin: pair } = world.server;
    const echoed = await new Promise<string>((resolve, reject) => {
      const sent = httpsRequest({
        host: '127.0.0.1',
        port,
        ca,
        cert: pair.certificate,
        key: pair.key,
        path: `${root}/namespaces/default/pods/p1`,
        headers: { connection: 'upgrade', upgrade: 'echo' },
      });
      sent.on('error', reject);
      sent.on('upgrade', (_answer, socket) => {
        socket.once('data', (chunk: Buffer) => {
          resolve(chunk.toString());
          socket.destroy();
        });
        socket.write('hello');
      });
      sent.end();
    });
    assert.equal(echoed, 'hello');
  });

  it('the condition says what is missing', async () => {
    const name = 'v1beta1.broken.example.com';
    await register('broken.example.com', {
      insecureSkipTLSVerify: true,
      service: { namespace: 'default', name: 'broken', port: 8443 },
    });
    const absent = await reason(name, 'ServiceNotFound');
    assert.equal(absent.message, 'service/broken in "default" is not present');
    const ports = (port: number): object => ({ spec: { ports: [{ name: 'api', port }] } });
    const created = await admin.send('/api/v1/namespaces/default/services', {
      body: { metadata: { name: 'broken' }, ...ports(443) },
    });
    assert.equal(created.code, 201);
    const wrongPort = await reason(name, 'ServicePortError');
    assert.equal(wrongPort.message, 'service/broken in "default" is not listening on port 8443');
    const patched = await admin.send('/api/v1/namespaces/default/services/broken', {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: ports(8443),
    });
    assert.equal(patched.code, 200);
    await reason(name, 'EndpointsNotFound');
    const slice = await admin.send('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      body: {
        metadata: { name: 'broken-1', labels: { 'kubernetes.io/service-name': 'broken' } },
        addressType: 'IPv4',
        ports: [{ name: 'other', port: 1 }],
        endpoints: [{ addresses: ['192.0.2.1'] }],
      },
    });
    assert.equal(slice.code, 201, slice.text);
    const missing = await reason(name, 'MissingEndpoints');
    assert.equal(missing.message, 'endpoints for service/broken in "default" have no addresses with port name "api"');
    const refused = await admin.send('/apis/broken.example.com/v1beta1/things');
    assert.deepEqual([refused.code, refused.text], [503, 'service unavailable\n']);
    const shown = await kubectl.run('get', '--raw', '/apis/broken.example.com/v1beta1/things');
    assert.match(shown.stderr, /the server is currently unable to handle the request/);
    assert.equal((await available('v1.apps'))?.reason, 'Local');
  });

  it('a server that hangs holds up nobody, and its group is told as stale', async () => {
    extension.answer = () => {};
    const hanging = admin.send(`${root}/nodes?timeout=300ms`);
    for (let i = 0; i < 20; i++) assert.equal((await admin.send('/api/v1/pods')).code, 200);
    assert.equal((await admin.send('/apis')).code, 200);
    assert.equal((await hanging).code, 504);
    extension.answer = (_request, response) => sendJson(response, {}, 500);
    // A change of its Service is a reason to look again.
    await admin.send('/api/v1/namespaces/kube-system/services/metrics-server', {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { labels: { looked: 'again' } } },
    });
    const failed = await reason('v1beta1.metrics.k8s.io', 'FailedDiscoveryCheck');
    assert.match(
      failed.message,
      /^failing or missing response from https:\/\/localhost:\d+\/apis\/metrics.k8s.io\/v1beta1: bad status from .*: 500$/,
    );
    const { json } = await admin.send('/apis', { headers: { accept: aggregatedType } });
    const items = json?.['items'] as { metadata: { name: string }; versions: Record<string, unknown>[] }[];
    const found = items.find(({ metadata }) => metadata.name === 'metrics.k8s.io')?.versions[0];
    assert.equal(found?.['freshness'], 'Stale');
    assert.equal((await admin.send(`${root}/nodes`)).code, 503);
    extension.answer = metricsApi;
    await reason('v1beta1.metrics.k8s.io', 'Passed');
    assert.equal((await admin.send(`${root}/nodes`)).code, 200);
  });

  it('a certificate of another authority, or for another name, is not accepted', async () => {
    await createService('impostor');
    await register('impostor.example.com', {
      caBundle: extension.caBundle,
      service: { namespace: 'kube-system', name: 'impostor', port: extension.port },
    });
    const failed = await reason('v1beta1.impostor.example.com', 'FailedDiscoveryCheck');
    assert.match(failed.message, /impostor.kube-system.svc/);
  });

  it('groups stand where their priority puts them, and are gone with their APIService', async () => {
    const before = await groupNames();
    assert.ok(before.indexOf('metrics.k8s.io') > before.indexOf('apps'));
    const path = `${apiServices}/v1beta1.metrics.k8s.io`;
    await admin.send(path, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { spec: { groupPriorityMinimum: 17_900 } },
    });
    const raised = await groupNames();
    assert.ok(raised.indexOf('metrics.k8s.io') < raised.indexOf('apps'));
    assert.equal((await admin.send(path, { method: 'DELETE' })).code, 200);
    assert.ok(!(await groupNames()).includes('metrics.k8s.io'));
    assert.equal((await admin.send(`${root}/nodes`)).code, 404);
    assert.equal((await admin.send(root)).code, 404);
  });
});

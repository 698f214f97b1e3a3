import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startTestServer, type TestServer } from '../../apiserver/testing/test-server.js';
import {
  clusterrolebindings,
  clusterroles,
  serviceaccounts,
  subjectaccessreviews,
  tokenreviews,
} from '../../shared/api/generated/resources.js';
import type { Resource } from '../../shared/api/resource.js';
import type { Client } from '../../shared/client/client.js';
import { clientFromKubeconfig } from '../../shared/client/connect.js';
import { eventually } from '../../shared/clock/eventually.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { systemClock } from '../../shared/clock/clock.js';
import { createKubeletWorld, type KubeletWorld } from './kubelet-world.js';
import { requestAttributes } from './request-attributes.js';

const rule = (...resources: string[]): object => ({ apiGroups: [''], resources, verbs: ['get'] });

describe('clients of the kubelet', () => {
  let server: TestServer;
  let admin: Client;
  let node: Client;
  let world: KubeletWorld;
  const clock = new FakeClock();
  let asked: string[] = [];
  let isAway = false;

  const grant = async (name: string, user: object, ...resources: string[]): Promise<void> => {
    await admin.create(clusterroles, { metadata: { name }, rules: [rule(...resources)] } as never);
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
    await admin.create(clusterrolebindings, { metadata: { name }, roleRef, subjects: [user] } as never);
  };
  const account = async (name: string): Promise<{ subject: object; token: string }> => {
    const metadata = { name, namespace: 'default' };
    await admin.create(serviceaccounts, { metadata });
    const path = `/api/v1/namespaces/default/serviceaccounts/${name}/token`;
    const answer = await admin.raw({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const { status } = JSON.parse(answer.body.toString()) as { status: { token: string } };
    return { subject: { kind: 'ServiceAccount', ...metadata }, token: status.token };
  };
  const user = (name: string): object => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name });
  const get = (path: string, token: string): Promise<{ code: number; body: string }> => world.get(path, {}, token);

  before(async () => {
    server = await startTestServer();
    admin = await clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
    const credentials = await server.kubeconfigFor('system:node:node-1', ['system:nodes']);
    node = await clientFromKubeconfig(credentials, { clock: systemClock });
    const counted: Pick<Client, 'create'> = {
      create: (resource, ...given) => {
        asked.push((resource as Resource).resource);
        return isAway ? Promise.reject(new Error('connect ECONNREFUSED')) : node.create(resource, ...given);
      },
    };
    world = await createKubeletWorld({ ca: server.caKeyPair, client: counted as Client, clock });
  });
  after(async () => {
    await world.close();
    for (const client of [admin, node]) client.close();
    await server.close();
  });

  it("with a ServiceAccount's token get what its roles say, and no more", async () => {
    const { subject, token } = await account('prometheus');
    await grant('scrape', subject, 'nodes/metrics', 'nodes/stats');
    for (const path of ['/metrics', '/metrics/cadvisor', '/metrics/resource', '/stats/summary']) {
      assert.equal((await get(path, token)).code, 200, path);
    }
    const name = 'system:serviceaccount:default:prometheus';
    assert.deepEqual(await get('/pods', token), {
      code: 403,
      body: `Forbidden (user=${name}, verb=get, resource=nodes, subresource(s)=[pods proxy])\n`,
    });
    assert.deepEqual(await get('/containerLogs/default/web/main', token), {
      code: 403,
      body: `Forbidden (user=${name}, verb=get, resource=nodes, subresource(s)=[proxy])\n`,
    });
  });

  it('with nodes/proxy get everything but what has a right of its own', async () => {
    const { subject, token } = await account('proxy');
    await grant('through-proxy', subject, 'nodes/proxy');
    for (const path of ['/pods', '/healthz', '/containerLogs/default/web/main']) {
      assert.equal((await get(path, token)).code, 200, path);
    }
    assert.equal((await get('/metrics', token)).code, 403);
  });

  it("with a certificate of the cluster's authority are known by it", async () => {
    await grant('pods-only', user('jane'), 'nodes/pods');
    const jane = await world.client('jane', ['dev']);
    assert.equal((await world.get('/pods', jane)).code, 200);
    const answer = await world.get('/healthz', jane);
    assert.deepEqual(answer, {
      code: 403,
      body: 'Forbidden (user=jane, verb=get, resource=nodes, subresource(s)=[healthz proxy])\n',
    });
    const other = await world.get('/healthz', await world.client('system:node:node-2', ['system:nodes']));
    assert.equal(other.code, 403);
  });

  it('who show nothing that holds get 401, before anything is looked up', async () => {
    for (const token of [undefined, 'nonsense', 'a.b.c']) {
      assert.deepEqual(await world.get('/nothing/at/all', {}, token), { code: 401, body: 'Unauthorized' });
    }
    assert.deepEqual(await world.upgrade('POST', '/exec/nowhere/none/main', { upgrade: 'SPDY/3.1' }, {}), {
      code: 401,
      body: 'Unauthorized',
    });
  });

  it('are refused an exec that they may not, with their token in the upgrade', async () => {
    const { token } = await account('stranger');
    const headers = { upgrade: 'SPDY/3.1', authorization: `Bearer ${token}` };
    const answer = await world.upgrade('POST', '/exec/default/web/main?command=cat&output=1', headers, {});
    const body =
      'Forbidden (user=system:serviceaccount:default:stranger, verb=create, resource=nodes, subresource(s)=[proxy])\n';
    assert.deepEqual(answer, { code: 403, body });
  });

  it('may send their token as a subprotocol of a WebSocket, as browsers do', async () => {
    const { subject, token } = await account('browser');
    const encoded = `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`;
    const exec = (protocols: string): ReturnType<KubeletWorld['upgrade']> =>
      world.upgrade(
        'GET',
        '/exec/default/web/main?command=fill&command=1&output=1',
        {
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
          'sec-websocket-protocol': protocols,
        },
        {},
      );
    const refused = await exec(`${encoded}, v5.channel.k8s.io`);
    assert.ok('code' in refused && refused.code === 403);
    assert.match(refused.body, /^Forbidden \(user=system:serviceaccount:default:browser, verb=get/);
    await clock.advance(31_000);
    await grant('by-browser', subject, 'nodes/proxy');
    const opened = await exec(`${encoded}, v5.channel.k8s.io`);
    assert.ok('socket' in opened);
    assert.equal(opened.headers['sec-websocket-protocol'], 'v5.channel.k8s.io');
    opened.socket.destroy();
    assert.deepEqual(await exec(encoded), { code: 401, body: 'Unauthorized' });
    const unknown = await exec(`${encoded}, other.example.com`);
    assert.ok('code' in unknown && unknown.code === 403);
    assert.ok(!unknown.body.includes(encoded), 'the token is told to nobody');
  });

  it('are remembered: a token two minutes, a yes five, a no half a minute', async () => {
    const { subject, token } = await account('remembered');
    const { resource: tokens } = tokenreviews;
    const { resource: accesses } = subjectaccessreviews;
    const expect = async (code: number, reviews: readonly string[]): Promise<void> => {
      asked = [];
      assert.equal((await get('/metrics', token)).code, code);
      assert.deepEqual(asked, reviews);
    };
    await expect(403, [tokens, accesses]);
    await grant('late', subject, 'nodes/metrics');
    await expect(403, []);
    await clock.advance(31_000);
    await expect(200, [accesses]);
    await clock.advance(90_000);
    await expect(200, [tokens]);
    await admin.delete(clusterrolebindings, 'late');
    await expect(200, []);
    await clock.advance(211_000);
    await expect(403, [tokens, accesses]);
  });

  it('get 500 where nobody can be asked what they may, after five attempts', async () => {
    const jim = await world.client('jim', []);
    isAway = true;
    asked = [];
    const answer = world.get('/metrics', jim);
    await eventually(async () => {
      await clock.advance(500);
      assert.equal(asked.length, 5);
    });
    isAway = false;
    assert.deepEqual(await answer, {
      code: 500,
      body: 'Authorization error (user=jim, verb=get, resource=nodes, subresource=metrics)',
    });
    assert.equal(asked.length, 5);
  });
});

it('what is asked of a kubelet has a name in the API', () => {
  const named = (method: string, path: string): string => {
    const { verb, subresources } = requestAttributes(method, path.split('/').filter(Boolean));
    return `${verb} ${subresources.join(' ')}`;
  };
  assert.equal(named('GET', '/runningpods/'), 'get pods proxy');
  assert.equal(named('GET', '/configz'), 'get configz proxy');
  assert.equal(named('GET', '/logs/syslog'), 'get log');
  assert.equal(named('POST', '/checkpoint/default/web/main'), 'create checkpoint');
  assert.equal(named('PUT', '/exec/default/web/main'), 'update proxy');
  assert.equal(named('GET', '/metricsandmore'), 'get proxy');
  assert.equal(named('HEAD', '/healthz'), ' healthz proxy');
});
